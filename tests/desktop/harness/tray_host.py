"""A desktop's tray: watches for signs, and does over its standard input what a person
does with them.

`show` writes a line of JSON: the newest sign's title and tip, and its menu as a list of
labels; `press LABEL` presses a line of the menu. Says "ready" once it may be asked.
"""

import json
import sys

from gi.repository import Gio, GLib

NAME = "org.kde.StatusNotifierWatcher"
ITEM = "org.kde.StatusNotifierItem"
MENU = "com.canonical.dbusmenu"
INTERFACE = Gio.DBusNodeInfo.new_for_xml(
    f"""
    <node>
      <interface name="{NAME}">
        <method name="RegisterStatusNotifierItem"><arg type="s" direction="in"/></method>
        <method name="RegisterStatusNotifierHost"><arg type="s" direction="in"/></method>
        <property name="IsStatusNotifierHostRegistered" type="b" access="read"/>
        <property name="ProtocolVersion" type="i" access="read"/>
        <property name="RegisteredStatusNotifierItems" type="as" access="read"/>
        <signal name="StatusNotifierHostRegistered"/>
        <signal name="StatusNotifierItemRegistered"><arg type="s"/></signal>
        <signal name="StatusNotifierItemUnregistered"><arg type="s"/></signal>
      </interface>
    </node>
    """
).interfaces[0]
PROPERTIES = {
    "IsStatusNotifierHostRegistered": GLib.Variant("b", True),
    "ProtocolVersion": GLib.Variant("i", 0),
    "RegisteredStatusNotifierItems": GLib.Variant("as", []),
}

bus = Gio.bus_get_sync(Gio.BusType.SESSION)
signs = []


def answer(_bus, sender, _path, _interface, method, parameters, invocation):
    if method == "RegisterStatusNotifierItem":
        path = parameters[0]
        signs.append((sender, path if path.startswith("/") else "/StatusNotifierItem"))
    invocation.return_value(None)


def ask(name, path, interface, method, parameters):
    reply = bus.call_sync(name, path, interface, method, parameters, None, 0, 5000, None)
    return reply.unpack()


def sign():
    name, path = signs[-1]
    (held,) = ask(name, path, "org.freedesktop.DBus.Properties", "GetAll", GLib.Variant("(s)", (ITEM,)))
    asked = GLib.Variant("(iias)", (0, -1, ["label"]))
    _, (_, _, lines) = ask(name, held["Menu"], MENU, "GetLayout", asked)
    return name, held, [(line[0], line[1].get("label", "")) for line in lines]


def show():
    if not signs:
        return {"title": None, "tip": None, "menu": []}
    _, held, lines = sign()
    return {"title": held["Title"], "tip": held["ToolTip"][3], "menu": [label for _, label in lines if label]}


def press(wanted):
    name, held, lines = sign()
    for number, label in lines:
        if label == wanted:
            event = GLib.Variant("(isvu)", (number, "clicked", GLib.Variant("i", 0), 0))
            ask(name, held["Menu"], MENU, "Event", event)
            return True
    return False


def take(_descriptor, _condition):
    word, _, rest = sys.stdin.readline().strip().partition(" ")
    if not word:
        loop.quit()
        return False
    try:
        print(json.dumps(show() if word == "show" else press(rest)), flush=True)
    except GLib.Error as error:
        # The program may just be ending.
        print(json.dumps({"error": error.message}), flush=True)
    return True


bus.register_object("/StatusNotifierWatcher", INTERFACE, answer, lambda *asked: PROPERTIES[asked[4]], None)
Gio.bus_own_name_on_connection(
    bus, NAME, Gio.BusNameOwnerFlags.NONE, lambda *_: print("ready", flush=True), None
)
loop = GLib.MainLoop()
GLib.io_add_watch(sys.stdin.fileno(), GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP, take)
loop.run()
