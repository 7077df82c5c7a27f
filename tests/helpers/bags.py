"""ROS 2 bags with sound, as audio_capture publishes it: AudioInfo once, then messages of a few milliseconds."""

import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

MESSAGES = {
    "audio_common_msgs/msg/AudioData": "uint8[] data",
    "audio_common_msgs/msg/AudioDataStamped": "std_msgs/Header header\naudio_common_msgs/AudioData audio",
    "audio_common_msgs/msg/AudioInfo": (
        "uint8 channels\nuint32 sample_rate\nstring sample_format\nuint32 bitrate\nstring coding_format"
    ),
}
BEGINS = 1_750_000_000 * 10**9  # ns
DTYPES = {"S16LE": "<i2", "S32LE": "<i4", "F32LE": "<f4"}


def store():
    types = get_typestore(Stores.ROS2_HUMBLE)
    for name, text in MESSAGES.items():
        types.register(get_types_from_msg(text, name))
    return types


def write_bag(
    path, topics, rate, *, stamped=True, info=None, late=None, drop=(), info_beside=None, plugin=StoragePlugin.SQLITE3
):
    """topics: name -> samples (time, channel), numbers as the format has them. info: what AudioInfo says otherwise; False:
    there is none. late: topic -> seconds. info_beside: topics that have an AudioInfo, all without. drop: numbers of messages
    of 0.1 s that are missing."""
    types = store()
    kind = "audio_common_msgs/msg/AudioData" + ("Stamped" if stamped else "")
    told = {"channels": None, "sample_rate": rate, "sample_format": "S16LE", "bitrate": 0, "coding_format": "wave"}
    told |= info or {}
    with Writer(path, version=8, storage_plugin=plugin) as bag:
        for topic, sound in topics.items():
            name = topic.rsplit("/", 1)[0] + "/audio_info"
            if info is not False and (info_beside is None or topic in info_beside):
                description = types.types["audio_common_msgs/msg/AudioInfo"](
                    **told | {"channels": told["channels"] or sound.shape[1]}
                )
                known = bag.add_connection(name, "audio_common_msgs/msg/AudioInfo", typestore=types)
                raw = types.serialize_cdr(description, "audio_common_msgs/msg/AudioInfo")
                bag.write(known, BEGINS, raw)
            connection = bag.add_connection(topic, kind, typestore=types)
            step = rate // 10
            for number in range(-(-len(sound) // step)):
                if number in drop:
                    continue
                at = BEGINS + round((number * step / rate + (late or {}).get(topic, 0.0)) * 1e9)
                data = np.frombuffer(sound[number * step : (number + 1) * step].tobytes(), np.uint8)
                bag.write(connection, at, types.serialize_cdr(_message(types, kind, at, data), kind))
    return path


def _message(types, kind, at, data):
    plain = types.types["audio_common_msgs/msg/AudioData"](data=data)
    if not kind.endswith("Stamped"):
        return plain
    stamp = types.types["builtin_interfaces/msg/Time"](sec=at // 10**9, nanosec=at % 10**9)
    header = types.types["std_msgs/msg/Header"](stamp=stamp, frame_id="")
    return types.types[kind](header=header, audio=plain)
