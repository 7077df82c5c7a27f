/** All that stands on the stage, each part drawn again when a signal that it shows has changed. */

import { computed, effect } from "@preact/signals";
import * as THREE from "three";
import { type Point } from "../model/answer";
import { colour } from "../model/colours";
import { type Grid, likelihoodOf, sliceOf } from "../model/likelihood";
import { errorMap } from "../model/planning";
import * as state from "../model/state";
import { theme } from "../model/theme";
import { type Device, devices } from "./devices";
import { estimatesFrom, moved, originOf } from "./origin";
import { dots, dotSize, fixesOf, placeAt, timeColour, ways } from "./fixes";
import { fill, tinted } from "./paints";
import { plane } from "./plane";
import { cone, region } from "./regions";
import { room } from "./room";
import { emptied, lines, Stage } from "./stage";

const diagonalOf = ([low, high]: [Point, Point]): number => Math.hypot(...high.map((h, k) => h - low[k]));

/** Where each microphone is drawn, and as what: as it is set, and as the answer that is shown has it. */
export function shownDevices(): Device[] {
  const now = new Map(state.shown.value?.microphones.map((each) => [each.name, each]));
  return state.microphones.value.flatMap((each) => {
    const report = now.get(each.name);
    const at = each.isKnown ? each.position : (report?.position_m ?? null);
    const said = state.statusOf(each, report);
    const status = each.isKnown || said === "off" ? said : "unknown-position";
    return at && at.every(Number.isFinite) ? [{ ...each, at, status }] : [];
  });
}

const drawnDevices = (): Device[] => shownDevices().map((each) => ({ ...each, at: moved(each.at, origin.value) }));
/** As text, which is the same from window to window as long as nothing happens to a microphone. */
const drawnText = computed(() => JSON.stringify(drawnDevices()));
const back = (device: Device): Device => ({ ...device, at: moved(device.at, origin.value, 1) });

/** All of this is drawn from here, and not from zero. */
const origin = computed(() => originOf(state.box.value));
const box = computed<[Point, Point]>(() => state.box.value.map((corner) => moved(corner, origin.value)) as [Point, Point]);

export class World {
  readonly stage: Stage;
  private groups = new Map<string, THREE.Group>();
  private stopping: (() => void)[] = [];

  constructor(canvas: HTMLCanvasElement) {
    this.stage = new Stage(canvas);
    this.part("room", () => room(box.value));
    this.part("devices", () => devices(JSON.parse(drawnText.value), box.value[0][2], this.diagonal, state.chosenMicrophone.value));
    this.part("fixes", () => this.fixes());
    this.part("now", () => this.now());
    this.part("plane", () => this.plane());
    this.stage.scene.add(this.mover);
    this.stopping.push(
      effect(() => this.move()),
      effect(() => this.dress()),
      effect(() => {
        if (this.lookedAt !== state.opened.value) this.stage.isTouched = false;
        this.lookedAt = state.opened.value;
        if (!this.stage.isTouched) this.stage.lookAt(box.value);
      }),
    );
  }

  private lookedAt = -1;
  slice: Grid | null = null;
  private mover = new THREE.Mesh(new THREE.SphereGeometry(1, 12, 8), tinted("mover", new THREE.Color()));

  private get diagonal(): number {
    return diagonalOf(box.value);
  }

  private part(name: string, made: () => THREE.Object3D[]): void {
    const group = new THREE.Group();
    this.groups.set(name, group);
    this.stage.scene.add(group);
    this.stopping.push(
      effect(() => {
        void theme.value;
        emptied(group);
        for (const each of made()) group.add(each);
        this.stage.draw();
      }),
    );
  }

  private fixes(): THREE.Object3D[] {
    if (state.mode.value === "plan") return [];
    const estimates = estimatesFrom(origin.value, state.answers.value?.estimates ?? []);
    const fixes = fixesOf(estimates);
    const parts = dots(fixes, state.duration.value, this.diagonal, state.showsAllRegions.value);
    return [...ways(estimates, state.duration.value), ...parts];
  }

  /** The window that is looked at: its sources, their regions, and what is known of microphones without a place. */
  private now(): THREE.Object3D[] {
    if (!state.shown.value || state.mode.value === "plan") return [];
    const [estimate] = estimatesFrom(origin.value, [state.shown.value]);
    const ink = colour("--accent");
    if (estimate.direction) {
      const sides = [estimate.direction, ...(estimate.direction.mirror ? [estimate.direction.mirror] : [])];
      return sides.flatMap((side) => cone(side, this.diagonal, ink));
    }
    const size = 1.9 * dotSize(1, this.diagonal);
    const floor = box.value[0][2];
    return estimate.sources.flatMap((source) => {
      const tint = timeColour((estimate.start_s + estimate.end_s) / 2, state.duration.value);
      const dot = new THREE.Mesh(new THREE.SphereGeometry(size, 20, 14), tinted("now", tint));
      const halo = new THREE.Mesh(
        new THREE.SphereGeometry(1.35 * size, 20, 14),
        fill(colour("--ink"), 1, THREE.BackSide),
      );
      for (const each of [dot, halo]) each.position.set(...source.position_m);
      const [x, y] = source.position_m;
      return [halo, dot, region(source, ink, this.diagonal), lines([source.position_m, [x, y, floor]], ink, 0.6)];
    });
  }

  /** Between two answers, while it plays: one dot that is only moved, picture by picture. */
  private move(): void {
    const at = state.isPlaying.value ? placeAt(state.answers.value?.estimates ?? [], state.time.value) : null;
    const hasMoved = at !== null || this.mover.visible;
    this.mover.visible = at !== null;
    if (at) this.mover.position.set(...moved(at, origin.value));
    if (hasMoved) this.stage.draw();
  }

  /** The dot as large as others, the ground as dark as the page. */
  private dress(): void {
    void theme.value;
    this.mover.scale.setScalar(1.2 * dotSize(1, this.diagonal));
    this.mover.material.color.set(colour("--accent"));
    this.stage.scene.background = new THREE.Color(colour("--ground"));
    this.stage.draw();
  }

  private plane(): THREE.Object3D[] {
    if (state.mode.value === "plan") {
      const map = errorMap.value;
      return map ? [plane(map.painted, map.box, map.axis, map.at_m)] : [];
    }
    const [slice, curves] = [state.slice.value, state.curves.value?.curves];
    if (!slice || !curves || state.curves.value?.from_s !== state.shown.value?.start_s) return [];
    const at_m = slice.at_m - origin.value[slice.axis];
    const here = { ...curves, positions_m: curves.positions_m.map((each) => moved(each, origin.value)) };
    const grid = (this.slice = sliceOf(likelihoodOf(here), box.value, slice.axis, at_m));
    const share = (value: number) => (value - grid.low) / Math.max(grid.high - grid.low, 1e-9);
    return [plane({ ...grid, share: (v) => share(v) ** 1.5, opacity: (s) => 0.15 + 0.75 * s }, box.value, slice.axis, at_m)];
  }

  /** Where on the slice the likelihood is highest (m): across, and up. */
  brightest(): [number, number] | null {
    const [slice, grid] = [state.slice.value, this.slice];
    if (!slice || !grid) return null;
    const best = grid.values.indexOf(grid.high);
    const [across, up] = [0, 1, 2].filter((each) => each !== slice.axis);
    const [low, high] = state.box.value;
    const share = [((best % grid.columns) + 0.5) / grid.columns, (Math.floor(best / grid.columns) + 0.5) / grid.rows];
    return [low[across] + share[0] * (high[across] - low[across]), low[up] + share[1] * (high[up] - low[up])];
  }

  /** Where microphones are on the stage. */
  drawn(): Point[] {
    return drawnDevices().map(({ at }) => at);
  }

  /** The microphone under the mouse. */
  deviceAt(event: { clientX: number; clientY: number }): Device | null {
    const which = drawnDevices();
    const balls = this.groups.get("devices")!.children.find((each) => each instanceof THREE.InstancedMesh);
    if (!balls) return null;
    const ray = this.stage.ray(event);
    const hit = ray.intersectObject(balls)[0];
    if (hit?.instanceId !== undefined) return back(which[hit.instanceId]);
    const near = 0.025 * this.diagonal;
    const beside = which.map((each) => ({ each, off: ray.ray.distanceToPoint(new THREE.Vector3(...each.at)) }));
    const nearest = beside.sort((a, b) => a.off - b.off)[0];
    return nearest && nearest.off < near ? back(nearest.each) : null;
  }

  /** Where a microphone at this height, or with `isUpright` above this place, is dragged to. */
  draggedTo(event: { clientX: number; clientY: number }, at: Point, isUpright: boolean): Point | null {
    const place = new THREE.Vector3(...moved(at, origin.value));
    const towards = this.stage.camera.getWorldDirection(new THREE.Vector3());
    const normal = isUpright ? towards.setZ(0).normalize() : new THREE.Vector3(0, 0, 1);
    const hit = this.stage.ray(event).ray.intersectPlane(new THREE.Plane().setFromNormalAndCoplanarPoint(normal, place), new THREE.Vector3());
    if (!hit) return null;
    const [x, y, z] = moved([hit.x, hit.y, hit.z], origin.value, 1);
    return (isUpright ? [at[0], at[1], z] : [x, y, at[2]]).map((x) => Math.round(100 * x) / 100) as Point;
  }

  end(): void {
    for (const stop of this.stopping) stop();
    this.stage.renderer.dispose();
  }
}
