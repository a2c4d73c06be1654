// The documents of somebody who does not exist, for the pictures of the window.
// Knows how to write them into a folder, and nothing of the window.

import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Shares no word with what answers it but the commonest. */
export const QUESTION = 'keep plants alive during a trip';

const DAY_MS = 86_400_000;
const FOLDERS = {
  Documents: {
    'Home/Balcony.md': [2, `# Balcony

## Before the summer holidays

The tomatoes drink a litre each evening. Set the drip line to ten minutes, move the ferns into the shade, and leave a full can beside the door for the neighbour.

## Winter

Bring the olive and the lemon indoors before the first frost. They want light and hardly any water until March.
`],
    'Home/Lease.txt': [640, `The flat is let from the first of April. Notice is three months on either side. The deposit is returned once the keys are back and the walls are white.
`],
    'Home/Router.txt': [97, `When the network is slow, the repeater in the hall has lost its link. Pull the plug, wait until the lamp goes out, and start it again. The password is on the underside.
`],
    'Home/Insurance/Water damage.txt': [410, `Water damage is covered up to the value of the furniture. Report it within seven days, with pictures and the plumber's bill.
`],
    'Travel/Packing list.md': [11, `# Two weeks in August

Passports, chargers, the small tent.

## The evening before

Ask next door to empty the letter box and to look after the pots on the balcony. Turn off the gas. Take out the compost.
`],
    'Travel/Night train.eml': [34, `From: bookings@example.org
Subject: Your sleeper to the coast

Two berths, coach 12. Boarding begins forty minutes before departure. Breakfast is served from six.
`],
    'Recipes/Sourdough.md': [208, `# Sourdough

Feed the starter the evening before. Fold the dough four times, half an hour apart, and bake it in a closed pot.
`],
    'Recipes/Tomato soup.md': [75, `# Tomato soup

Roast the tomatoes with garlic until their edges darken. Simmer with stock, then blend with a spoon of cream.
`],
  },
  Garden: {
    'Greenhouse.html': [51, `<!doctype html><title>Greenhouse</title><h1>Greenhouse</h1>
<h2>A long weekend</h2><p>Open the roof vents before nine. Seedlings dry out within a day of sun: a tray of wet gravel below them holds for three days, a wick from a bucket for a week.</p>
<h2>Pests</h2><p>Whitefly comes with still air. Hang yellow cards and let a fan run at noon.</p>`],
    'irrigation.py': [23, `"""Opens the valve when the soil is dry."""

DRY = 0.32  # share of water by volume
MINUTES = 8


def should_water(moisture, rain_tomorrow):
    return moisture < DRY and not rain_tomorrow


def water(valve, minutes=MINUTES):
    valve.open()
    valve.close_after(minutes)
`],
    'Tools lent.csv': [140, `tool,to,since
Hedge shears,number 4,April
Ladder,number 11,March
Wheelbarrow,number 4,May
`],
    'Soil.txt': [302, `Two parts compost, one part sand for the herbs. The blueberries want it sour: pine needles on top, rain water only.
`],
  },
};

/** Writes the folders below another; returns their paths. */
export function writeDocuments(below, now = Date.now()) {
  return Object.entries(FOLDERS).map(([folder, documents]) => {
    for (const [name, [daysOld, text]] of Object.entries(documents)) {
      const path = join(below, folder, name);
      const changed = new Date(now - daysOld * DAY_MS);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      utimesSync(path, changed, changed);
    }
    return join(below, folder);
  });
}

/** What of a folder is not indexed, for this reason or that. */
const UNREAD = {
  'Website/node_modules/left/index.js': 'export const left = 1;\n',
  'Website/.cache/page.html': '<p>Old.</p>\n',
  'Bank/signing-key.pem': 'Nobody else is to read this.\n',
  'Bank/.env': 'PIN=none\n',
  'Scans/Lease, page 1.png': Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'),
  'Scans/Lease, page 2.png': Buffer.from('89504e470d0a1a0a0000000d49484453', 'hex'),
  'Home/Notes to come.md': '',
  'Downloads/Offer.docx': 'PK\x03\x04 and then no archive',
};

/** Writes these into the folder. */
export function writeUnread(folder) {
  for (const [name, contents] of Object.entries(UNREAD)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), contents);
  }
}

export const COUNT = Object.values(FOLDERS).flatMap(Object.keys).length;
