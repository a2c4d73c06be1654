"""Stands in for the file manager: answers on the session bus as
org.freedesktop.FileManager1 and prints each address that it is asked to show.

Says "ready" once it holds the name.
"""

from gi.repository import Gio, GLib

NAME = "org.freedesktop.FileManager1"
INTERFACE = Gio.DBusNodeInfo.new_for_xml(
    f"""
    <node>
      <interface name="{NAME}">
        <method name="ShowItems"><arg type="as" direction="in"/><arg type="s" direction="in"/></method>
        <method name="ShowFolders"><arg type="as" direction="in"/><arg type="s" direction="in"/></method>
      </interface>
    </node>
    """
).interfaces[0]


def answer(_bus, _sender, _path, _interface, _method, parameters, invocation):
    for uri in parameters[0]:
        print(uri, flush=True)
    invocation.return_value(None)


def offer(bus, _name):
    bus.register_object("/org/freedesktop/FileManager1", INTERFACE, answer, None, None)


Gio.bus_own_name(
    Gio.BusType.SESSION,
    NAME,
    Gio.BusNameOwnerFlags.NONE,
    offer,
    lambda _bus, _name: print("ready", flush=True),
    None,
)
GLib.MainLoop().run()
