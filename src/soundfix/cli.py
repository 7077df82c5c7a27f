"""Words -> calls. Each command imports what it needs when it runs, so that --help is quick."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soundfix import __version__
from soundfix.errors import SoundfixError
from soundfix.terminal import LINES_SHOWN, progress, say, say_rest, steps, watched, writers

if TYPE_CHECKING:
    from soundfix.datasets.simulated import Simulated
    from soundfix.evaluation.setting import Setting
    from soundfix.files.take import Take
    from soundfix.localizer import Estimate
    from soundfix.scene import Room, Scene

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

ESTIMATES_DRAWN = 2000

Audio = Annotated[list[Path], typer.Argument(help="One multichannel file, a file for each microphone, or a folder.")]
MicrophoneFile = Annotated[Path, typer.Option("--microphones", "-m", help="CSV, YAML or JSON: name,x,y,z in metres.")]
RoomText = Annotated[str | None, typer.Option("--room", help="x0,y0,z0,x1,y1,z1 in metres; z0 = z1: a known height.")]
Temperature = Annotated[float | None, typer.Option(help="Of the air, in °C; 343.2 m/s (20 °C) without it.")]
Speed = Annotated[float | None, typer.Option(help="Speed of sound in m/s, instead of a temperature.")]
Require = Annotated[
    str | None,
    typer.Option(help='What losses must not harm: "20cm 95% minus 2" (radius, share of places, microphones).'),
]
Checkpoint = Annotated[Path | None, typer.Option(help="Trained weights (.safetensors) for a method that needs them.")]
BeatsFile = Annotated[
    Path | None, typer.Option("--beats", help="Published BEATs file, for a network that listens with it.")
]


def main() -> None:
    """The command `soundfix`: errors that are the user's to mend become one sentence and exit status 2."""
    try:
        app()
    except SoundfixError as error:
        typer.secho(f"soundfix: {error}", fg="red", err=True)
        raise SystemExit(2) from None


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Where did that sound come from? Scattered microphones in, places in metres out, with evidence."""
    if show:
        typer.echo(__version__)
        raise typer.Exit


@app.command()
def methods() -> None:
    """List the methods that --method takes."""
    from soundfix.catalog import CATALOG, DEFAULT

    for name, entry in CATALOG.items():
        typer.echo(f"{name:16s} {entry.summary}{' (the default)' if name == DEFAULT else ''}")


@app.command()
def locate(
    audio: Audio,
    microphones: MicrophoneFile,
    method: Annotated[str, typer.Option(help="See `soundfix methods`.")] = "three-stream",
    checkpoint: Checkpoint = None,
    beats: BeatsFile = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Put into the JSON what a network made of each pair.")
    ] = False,
    window: Annotated[float, typer.Option(help="Seconds of sound an answer is made from.")] = 0.5,
    hop: Annotated[
        float | None, typer.Option(help="Seconds from window to window; the window's length without it.")
    ] = None,
    smooth: Annotated[
        bool, typer.Option("--smooth", help="One source that moves as people do: smooth its places over time.")
    ] = False,
    room: RoomText = None,
    temperature: Temperature = None,
    speed_of_sound: Speed = None,
    require: Require = None,
    json: Annotated[Path | None, typer.Option(help="Write all answers to this JSON file.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write one row a source to this CSV file.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the answers: .png, or .html to turn in 3-D.")] = None,
) -> None:
    """Where the sounds in a recording came from, and what is wrong with the microphones."""
    from soundfix.catalog import load
    from soundfix.contract import contract_note, known_array, parse_contract, promise
    from soundfix.files.exports import check_targets
    from soundfix.recording import Session
    from soundfix.smoothing import smoothed
    from soundfix.wording import describe

    box, contract = parse_room(room), parse_contract(require) if require else None
    check_targets([path for path in (json, csv, plot) if path], [microphones, *audio])
    if plot:
        from soundfix.plots import WRITERS, checked_suffix

        checked_suffix(plot, WRITERS)
    take = opened(audio, microphones)
    session = Session(
        localizer=load(method, **given(checkpoint=checkpoint, beats=beats, explains=explain)),
        microphones=take.microphones,
        room=box,
        temperature_c=temperature,
        speed_of_sound_m_s=speed_of_sound,
        require=contract,
    )
    if contract:
        for line in promise(contract, known_array(take.microphones, box)).lines():
            typer.echo(line)
    hop = window if hop is None else hop
    count = take.count_windows(window, hop)
    drawn: list[Estimate] = []
    warning: str | None = None
    with writers(json, csv, method) as (write, conclude), progress("locating", count) as advance:
        heard = (session.hear(start, part, take.sample_rate) for start, part in take.windows(window, hop))
        for number, estimate in enumerate(smoothed(heard) if smooth else heard):
            write(estimate)
            if number < LINES_SHOWN:
                typer.echo(describe(estimate))
            if contract_note(estimate) not in (None, warning):
                typer.echo(f"{estimate.start_s:8.2f} s  {contract_note(estimate)}")
            warning = contract_note(estimate)
            if plot and number % (count // ESTIMATES_DRAWN + 1) == 0:
                drawn.append(estimate)
            advance()
        conclude(conclusion := session.conclusion())
    say_rest(count, json, csv)
    for line in conclusion.lines():
        typer.echo(line)
    if plot:
        from soundfix.plots import plot_estimates

        plot_estimates(drawn, take.microphones, box, plot)
        typer.echo(f"drawn: {plot}")


@app.command()
def check(
    audio: Audio,
    microphones: MicrophoneFile,
    room: RoomText = None,
    temperature: Temperature = None,
    speed_of_sound: Speed = None,
    require: Require = None,
    json: Annotated[Path | None, typer.Option(help="Write the report to this JSON file.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the map of predicted errors (.png).")] = None,
) -> None:
    """Grade the microphones and their geometry before you trust them: what this array can and can never tell."""
    import json as json_format

    from soundfix.atomic import atomic_path
    from soundfix.contract import parse_contract
    from soundfix.files.exports import check_targets
    from soundfix.survey import survey

    box, contract = parse_room(room), parse_contract(require) if require else None
    check_targets([path for path in (json, plot) if path], [microphones, *audio])
    take = opened(audio, microphones)
    scene = partial_scene(take, box, temperature, speed_of_sound)
    with progress("listening", take.count_windows(0.5, 0.5)) as advance:
        windows = (scene(audio=part, start_s=start) for start, part in watched(take.windows(0.5, 0.5), advance))
        result = survey(take.microphones, room=box, windows=windows, require=contract)
    for line in result.lines():
        typer.echo(line)
    if json:
        with atomic_path(json) as path:
            path.write_text(json_format.dumps(result.to_dict(), indent=1, allow_nan=False) + "\n")
    if plot:
        from soundfix.plots import plot_survey

        plot_survey(result, plot)
        typer.echo(f"drawn: {plot}")


@app.command()
def calibrate(
    audio: Audio,
    microphones: MicrophoneFile,
    out: Annotated[Path, typer.Option(help="Write the corrected list of microphones to this CSV file.")],
    free_clocks: Annotated[
        bool, typer.Option("--free-clocks", help="Every recorder has its own clock: offsets and drifts are unknown.")
    ] = False,
    room: RoomText = None,
    temperature: Temperature = None,
    speed_of_sound: Speed = None,
    json: Annotated[Path | None, typer.Option(help="Write everything that was found to this JSON file.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the array as listed and as found (.png).")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the places that are tried.")] = 0,
) -> None:
    """Where microphones really stand and how their clocks run, from seconds to minutes of a sound that moves.

    Walk through the whole room and talk, at different heights. Blank positions are solved for, wrong ones corrected.
    """
    import json as json_format

    from soundfix import calibration_report as report
    from soundfix import checkpoint
    from soundfix.atomic import atomic_path
    from soundfix.calibrate import calibrate as solve
    from soundfix.files.exports import check_targets
    from soundfix.files.microphones import write_microphones
    from soundfix.hearing import listen, moments

    box = parse_room(room)
    check_targets([path for path in (out, json, plot) if path], [microphones, *audio])
    take = opened(audio, microphones)
    window, hop = moments(take.recording.duration_s)
    scene = partial_scene(take, box, temperature, speed_of_sound)
    with progress("listening", take.count_windows(window, hop)) as advance:
        parts = watched(take.windows(window, hop), advance)
        hearing = listen(
            checkpoint.load(checkpoint.PACKAGED), (scene(audio=part, start_s=start) for start, part in parts)
        )
    with steps("solving") as watch:
        result = solve(
            hearing, take.microphones, room=box, clocks="free" if free_clocks else "common", seed=seed, watch=watch
        )
    for line in report.lines(result, take.microphones):
        typer.echo(line)
    write_microphones(out, result.microphones)
    typer.echo(f"written: {out}")
    if json:
        with atomic_path(json) as path:
            path.write_text(json_format.dumps(report.as_dict(result), indent=1, allow_nan=False) + "\n")
    if plot:
        report.plot(result, take.microphones, box, plot)
        typer.echo(f"drawn: {plot}")


@app.command()
def simulate(
    out: Annotated[Path, typer.Argument(help="Folder for the scenes.")],
    world: Annotated[
        str, typer.Option(help="clean-rooms, random-rooms (with all that goes wrong), luvira-twin or luvira-hard.")
    ] = "clean-rooms",
    room: Annotated[str | None, typer.Option(help="Your own room: x0,y0,z0,x1,y1,z1 (m); with --microphones.")] = None,
    microphones: Annotated[
        Path | None, typer.Option("--microphones", "-m", help="File with your microphones' positions in it.")
    ] = None,
    scenes: Annotated[int, typer.Option(min=1, help="How many; each in a folder of its own if more than 1.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same scenes.")] = 0,
    audio: Annotated[
        list[Path] | None, typer.Option(help="Folder of dry recordings, built-in sounds without it; may repeat.")
    ] = None,
    part: Annotated[str | None, typer.Option(help="Only the speakers of this part: train, valid or test.")] = None,
    change: Annotated[
        list[str] | None, typer.Option("--set", help="A setting of the world, such as rt60_s=[0.2,0.6]; may repeat.")
    ] = None,
    fault: Annotated[
        list[str] | None, typer.Option(help="KIND:MICROPHONE[:AMOUNT], such as dead:3 or late:2:0.005; may repeat.")
    ] = None,
    shards: Annotated[
        bool, typer.Option("--shards", help="Tar shards to train on; goes on where it was interrupted.")
    ] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that make shards; 1 without it.")] = None,
) -> None:
    """Make rooms with sounds, microphones and, if you like, faults; the truth is written beside them.

    A scene is a folder with scene.wav, microphones.csv and truth.json, or with --shards a part of a tar file.
    """
    from soundfix.datasets.simulated import Simulated
    from soundfix.datasets.writing import write_set
    from soundfix.files.microphones import read_microphones
    from soundfix.overrides import apply_overrides
    from soundfix.soundbank import open_sounds
    from soundfix.worlds import in_room, world_named

    refuse_idle(
        {"--fault": fault if shards else None}, "would break one scene, not a set: --set share_faulty=1 breaks them all"
    )
    refuse_idle({"--workers": None if shards else workers}, "belongs to --shards")
    refuse_idle({"--part": None if audio else part}, "is of no use: built-in sounds have no parts; give --audio too")
    chosen = apply_overrides(world_named(world), change or [])
    if box := parse_room(room):
        if microphones is None:
            raise SoundfixError("--room without --microphones: where do they stand in it?")
        chosen = in_room(chosen, box, read_microphones(microphones))
    else:
        refuse_idle({"--microphones": microphones}, "stand in a --room: give it too")
    simulated = Simulated(world=chosen, sounds=open_sounds(audio or [], part=part), seed=seed, count=scenes)
    with progress("simulating", scenes) as advance:
        if shards:
            write_set(out, simulated, workers=workers or 1, progress=advance)
        else:
            write_folders(out, simulated, fault or [], advance)
    typer.echo(f"{scenes} scene{'s' * (scenes > 1)} of {world} in {out}")


def write_folders(out: Path, simulated: "Simulated", faults: list[str], advance: Callable[[int], None]) -> None:
    """Scenes, broken alike, in folders of their own."""
    import numpy as np

    from soundfix.faults import break_scene, parse_fault
    from soundfix.files.scenes import write_scene

    parsed = [parse_fault(text) for text in faults]
    for number in range(len(simulated)):
        scene = break_scene(simulated[number], parsed, np.random.default_rng([simulated.seed, number, 1]))
        write_scene(out / f"{number:04d}" if len(simulated) > 1 else out, scene)
        advance(1)


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(help="paper, default, tiny, di-nn, gnn or wav2pos.")],
    data: Annotated[list[str], typer.Option(help="Folder of a data set, or a world simulated on the fly; may repeat.")],
    out: Annotated[Path, typer.Option(help="Folder of the run: states, numbers, model.safetensors.")],
    valid: Annotated[list[str] | None, typer.Option(help="Data to validate on, as --data; may repeat.")] = None,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting of the recipe, such as localization.steps=5000; may repeat."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same weights, on one kind of machine.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    start: Annotated[
        Path | None, typer.Option("--from", help="A checkpoint to start from, instead of random weights.")
    ] = None,
    beats: Annotated[Path | None, typer.Option(help="File of BEATs base, for recipes that listen with it.")] = None,
    audio: Annotated[list[Path] | None, typer.Option(help="Folder of dry recordings for a world; may repeat.")] = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes that read data; 0: none beside this one.")] = 1,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto: cuda where there is one.")] = "auto",
    track: Annotated[
        bool, typer.Option("--tensorboard", help="Write TensorBoard events beside metrics.jsonl.")
    ] = False,
) -> None:
    """Train a network; interrupted at any moment, it goes on with --resume as if nothing had happened.

    For several GPUs: torchrun --nproc-per-node 4 -m soundfix train ...
    """
    from rich.console import Console

    from soundfix.training.request import Request, run
    from soundfix.training.table import TrainingTable

    request = Request(
        recipe=recipe, data=data, valid=valid or [], out=out, changes=change or [], seed=seed, resume=resume,
        start=start, beats=beats, audio=audio or [], workers=workers, device=device, tracks=track,
    )  # fmt: skip
    with TrainingTable(Console()) as show:
        run(request, show)
    typer.echo(f"done: {out / 'model.safetensors'}")


@app.command()
def evaluate(
    dataset: Annotated[str, typer.Argument(help="luvira-twin, luvira-hard, random-rooms, measured or luvira.")],
    out: Annotated[Path, typer.Option(help="Folder for tables, pictures and every window's answer.")],
    methods: Annotated[
        str, typer.Option(help="Names of `soundfix methods`; NAME=CHECKPOINT or LABEL:NAME=CHECKPOINT for networks.")
    ] = "srp-phat,multilateration,multilat",
    microphones: Annotated[str, typer.Option(help="How many are heard.")] = "11",
    subsets: Annotated[str, typer.Option(help="Which: first, spread (far apart) or random.")] = "spread",
    windows: Annotated[str, typer.Option(help="Seconds.")] = "0.5",
    unknown: Annotated[str, typer.Option(help="How many of them have no position.")] = "0",
    sources: Annotated[str, typer.Option(help="How many sound at once.")] = "1",
    faults: Annotated[str, typer.Option(help="none, or KIND[:COUNT] such as late:2.")] = "none",
    clips: Annotated[int, typer.Option(min=1, help="One window of each, under every condition.")] = 300,
    root: Annotated[Path | None, typer.Option(help="Folder of luvira or of measured rooms.")] = None,
    audio: Annotated[
        list[Path] | None, typer.Option(help="Folder of dry recordings, built-in sounds without it; may repeat.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same windows.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
) -> None:
    """Methods against each other on the same windows: tables and pictures. An interrupted run goes on where it was.

    Several values are separated by commas; all combinations are evaluated.
    """
    from soundfix.evaluation.request import Request, run

    request = Request(
        dataset=dataset, methods=methods, microphones=microphones, subsets=subsets, windows=windows, unknown=unknown,
        sources=sources, faults=faults, clips=clips, root=root, audio=audio or [], seed=seed, workers=workers,
    )  # fmt: skip
    with progress("evaluating", request.total) as advance:
        report = run(request, out, advance)
    typer.echo(report)


@app.command()
def chaos(
    audio: Audio,
    microphones: MicrophoneFile,
    room: RoomText = None,
    temperature: Temperature = None,
    speed_of_sound: Speed = None,
    method: Annotated[str | None, typer.Option(help="See `soundfix methods`; three-stream without it.")] = None,
    checkpoint: Checkpoint = None,
    localizer: Annotated[
        str | None, typer.Option(help="MODULE:FACTORY of a method of your own; its contract is checked first.")
    ] = None,
    fault: Annotated[list[str] | None, typer.Option(help="A kind of fault, all without it; may repeat.")] = None,
    broken: Annotated[int, typer.Option(min=1, help="Microphones that break at once.")] = 1,
    tries: Annotated[int, typer.Option(min=1, help="Of every kind.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="The same seed breaks the same.")] = 0,
    seconds: Annotated[float, typer.Option(min=0.5, help="Of the recording, from its start.")] = 20.0,
    out: Annotated[Path | None, typer.Option(help="Folder for chaos.md, chaos.json (every try) and chaos.png.")] = None,
) -> None:
    """Break a clean recording in every way there is: does a method notice, name the broken and still locate?

    Errors are measured from the truth.json beside the recording, or without one from the method's own clean answers.
    """
    from soundfix.atomic import make_folder
    from soundfix.canvas import library
    from soundfix.catalog import DEFAULT, load
    from soundfix.chaos import attempts, hear_clean, labels
    from soundfix.chaos_report import FILES, describe_clean, lines_of, plain, write_report
    from soundfix.faults import KINDS
    from soundfix.files.exports import check_targets
    from soundfix.testing import load_checked

    kinds = fault or list(KINDS)
    count = tries * len(labels(kinds, broken))
    if localizer:
        refuse_idle({"--method": method, "--checkpoint": checkpoint}, "and --localizer exclude each other")
    scene = whole_scene(audio, microphones, room, seconds, temperature, speed_of_sound)
    chosen = load_checked(localizer) if localizer else load(method or DEFAULT, **given(checkpoint=checkpoint))
    if out:
        library("matplotlib.figure")  # that there is one is found out now, not after the tries
        make_folder(out)
        check_targets([out / name for name in FILES], [microphones, *audio])
    clean = hear_clean(scene, chosen)
    for line in describe_clean(clean):
        typer.echo(line)
    with progress("breaking", count) as advance:
        done = list(watched(attempts(clean, kinds=kinds, broken=broken, tries=tries, seed=seed), advance))
    for line in plain(lines_of(done)):
        typer.echo(line)
    if out:
        write_report(out, clean, done, {"version": __version__, "seed": seed, "broken": broken})
        typer.echo(f"written: {', '.join(str(out / name) for name in FILES)}")


def whole_scene(
    audio: list[Path], microphones: Path, room: str | None, seconds: float, temperature: float | None, speed: float | None
) -> "Scene":  # fmt: skip
    """The start of a recording in memory, with the truth that lies beside it, if it does."""
    from soundfix.datasets.folder import TRUTH, read_truth

    take = opened(audio, microphones)
    truth = (audio[0] if audio[0].is_dir() else audio[0].parent) / TRUTH
    scene = partial_scene(take, parse_room(room), temperature, speed)
    return scene(audio=take.beginning(seconds), truth=read_truth(truth) if truth.exists() else None)


Minutes = Annotated[float, typer.Option(min=0.01, help="Of training, for every method that learns.")]
LuviraFolder = Annotated[Path | None, typer.Option("--root", help="LuViRA on disk; its simulated twin without it.")]
DrySounds = Annotated[list[Path] | None, typer.Option("--audio", help="Folder of dry recordings; may repeat.")]
Scenes = Annotated[int, typer.Option(min=1, help="Simulated to train on.")]
Clips = Annotated[int, typer.Option(min=1, help="Tested; a window of each under every condition.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, or auto: cuda where there is one.")]


@app.command()
def reproduce(
    out: Annotated[Path, typer.Option(help="Folder for data, runs and tables; an interrupted run goes on.")],
    minutes: Minutes = 10.0,
    root: LuviraFolder = None,
    audio: DrySounds = None,
    scenes: Scenes = 3000,
    clips: Clips = 300,
    small: Annotated[bool, typer.Option("--small", help="A small NGCC-PHAT: the published one needs a GPU.")] = False,
    beats: BeatsFile = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    workers: Annotated[int, typer.Option(min=0, help="Processes.")] = 1,
    device: Device = "auto",
) -> None:
    """The tables of arXiv 2505.20961: every method trained alike and scored on the same windows, beside the published."""
    from soundfix.evaluation.reproduce import reproduce as run

    setting = study_setting(minutes, root, audio, scenes, clips, small, beats, seed, workers, device)
    with progress("evaluating", 4 * clips) as advance:
        typer.echo(run(setting, out, say=say, progress=advance))


@app.command()
def ablate(
    name: Annotated[str, typer.Argument(help="ascm, attention, acoustic, frozen, head, unknown or windows.")],
    out: Annotated[Path, typer.Option(help="Folder for data, runs and tables; an interrupted run goes on.")],
    minutes: Minutes = 10.0,
    root: LuviraFolder = None,
    audio: DrySounds = None,
    scenes: Scenes = 3000,
    clips: Clips = 300,
    beats: BeatsFile = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    workers: Annotated[int, typer.Option(min=0, help="Processes.")] = 1,
    device: Device = "auto",
) -> None:
    """One part of the network changed or left out, trained anew, and compared."""
    from soundfix.evaluation.ablations import ablate as run

    if name != "acoustic":
        refuse_idle({"--beats": beats}, f"does nothing in the ablation {name}")
    setting = study_setting(minutes, root, audio, scenes, clips, False, beats, seed, workers, device)
    with progress("evaluating", clips) as advance:
        typer.echo(run(name, setting, out, say=say, progress=advance))


@app.command()
def info(
    model: Annotated[str, typer.Argument(help="A recipe, as for `train`, or a checkpoint (.safetensors).")],
) -> None:
    """What a network is made of: weights, part by part, and the time one window takes on this machine."""
    from soundfix.info import describe_network, named_network

    for line in describe_network(named_network(model)):
        typer.echo(line)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the recording and the pictures.")] = Path("demo"),
) -> None:
    """A room, a talker, two broken microphones: make it, locate it, draw it."""
    from soundfix.demo import run

    for line in run(out):
        typer.echo(line)


def opened(audio: list[Path], microphones: Path) -> "Take":
    """The take; what was assumed on the way to stderr."""
    from soundfix.files.take import open_take

    take = open_take(audio, microphones)
    for note in take.notes:
        say(note)
    return take


def partial_scene(
    take: "Take", room: "Room | None", temperature_c: float | None, speed: float | None
) -> "Callable[..., Scene]":
    """Scenes of one take: what is left to give is the audio and when it starts."""
    from functools import partial

    from soundfix.scene import Scene

    return partial(
        Scene,
        sample_rate=take.sample_rate,
        microphones=take.microphones,
        room=room,
        temperature_c=temperature_c,
        speed_of_sound_m_s=speed,
    )


def parse_room(text: str | None) -> "Room | None":
    """x0,y0,z0,x1,y1,z1 as two corners."""
    if text is None:
        return None
    try:
        x0, y0, z0, x1, y1, z1 = (float(number) for number in text.split(","))
    except ValueError:
        raise SoundfixError(
            f"--room {text!r}: wanted six numbers x0,y0,z0,x1,y1,z1 in metres, lowest corner first"
        ) from None
    return (x0, y0, z0), (x1, y1, z1)


def study_setting(
    minutes: float, root: Path | None, audio: list[Path] | None, scenes: int, clips: int, small: bool,
    beats: Path | None, seed: int, workers: int, device: str,
) -> "Setting":  # fmt: skip
    """Where `reproduce` and `ablate` take place."""
    from soundfix.evaluation.setting import Setting
    from soundfix.evaluation.study import Budget
    from soundfix.training.request import chosen_device

    if root:
        refuse_idle({"--audio": audio}, "is for the simulated twin, and --root is LuViRA itself")
    budget = Budget(minutes=minutes, seed=seed, workers=workers, device=chosen_device(device), beats=beats)
    return Setting(budget=budget, root=root, audio=audio or [], scenes=scenes, clips=clips, small=small)


def given(**options: "Path | bool | None") -> dict[str, "Path | bool | None"]:
    """The options that were given: a method takes only those it knows."""
    return {name: value for name, value in options.items() if value not in (None, False)}


def refuse_idle(options: Mapping[str, object], why: str) -> None:
    """Options that were given and would do nothing are refused, not ignored."""
    for name, value in options.items():
        if value is not None:
            raise SoundfixError(f"{name} {why}")
