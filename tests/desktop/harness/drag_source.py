"""A small GTK window whose whole surface can be dragged and carries files.

usage: drag_source.py PATH...   (the system's Python, which has the GTK bindings)
Says "ready" once it is shown and "over" once the drag has ended, whoever took
the files; then it ends.
"""

import pathlib
import sys

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, Gtk  # noqa: E402

URIS = [pathlib.Path(path).resolve().as_uri() for path in sys.argv[1:]]


def say(word):
    print(word, flush=True)


def give(_surface, _context, selection, _info, _time):
    selection.set_uris(URIS)


def end(_surface, _context):
    say("over")
    Gtk.main_quit()


window = Gtk.Window(title="drag source", accept_focus=False, default_width=120, default_height=80)
window.set_keep_above(True)
surface = Gtk.EventBox()
surface.add(Gtk.Label(label="drag me"))
surface.drag_source_set(Gdk.ModifierType.BUTTON1_MASK, [], Gdk.DragAction.COPY)
surface.drag_source_add_uri_targets()
surface.connect("drag-data-get", give)
surface.connect("drag-end", end)
window.add(surface)
window.connect("map-event", lambda *_: say("ready"))
window.show_all()
window.move(8, 24)
Gtk.main()
