# SPDX-License-Identifier: Apache-2.0
"""A viewer of a guest's display: spice_client.py HOST PORT connects with spice-gtk's library and
prints where it is connected, as a line of JSON, at first and whenever that has changed."""
import json
import sys

import gi

gi.require_version("SpiceClientGLib", "2.0")
from gi.repository import GLib, GObject, SpiceClientGLib  # noqa: E402  pylint: disable=wrong-import-position

LOOK_MS = 50


class Viewer:
    def __init__(self, host, port):
        self.session = SpiceClientGLib.Session()
        self.session.set_property("host", host)
        self.session.set_property("port", port)
        GObject.Object.connect(self.session, "channel-new", self.on_channel)
        self.channels, self.event, self.told = [], "none", None
        if not self.session.connect():
            raise SystemExit(f"no connection to {host} port {port}")
        GLib.timeout_add(LOOK_MS, self.look)

    def on_channel(self, _session, channel):
        self.channels.append(channel)
        GObject.Object.connect(channel, "channel-event", self.on_event)
        channel.connect()

    def on_event(self, _channel, event):
        self.event = event.value_nick

    def look(self):
        state = {"host": self.session.get_property("host"),
                 "port": self.session.get_property("port"),
                 "migration": self.session.get_property("migration-state").value_nick,
                 "event": self.event}
        if state != self.told:
            self.told = state
            print(json.dumps(state), flush=True)
        return True


if __name__ == "__main__":
    viewer = Viewer(sys.argv[1], sys.argv[2])
    GLib.MainLoop().run()
