// Files enough to keep a computer busy for a while.

const WORDS_A_FILE = 180;
const WORDS = [
  'river', 'lantern', 'orchard', 'copper', 'sailor', 'winter', 'ladder', 'candle', 'meadow', 'hammer',
  'violin', 'harbour', 'pepper', 'window', 'saddle', 'tunnel', 'basket', 'thunder', 'marble', 'ribbon',
  'compass', 'blanket', 'kettle', 'feather', 'mirror', 'anchor', 'pigeon', 'cellar', 'garden', 'whistle',
];

/** So many files, `{ name: text }`, of words in an order that is the same in every run and in no two files. */
export function prose(files) {
  let state = 7;
  const word = () => {
    state = (state * 48_271) % 2_147_483_647;
    return WORDS[state % WORDS.length];
  };
  return Object.fromEntries(Array.from({ length: files }, (_, index) => [
    `note-${index}.txt`,
    `${Array.from({ length: WORDS_A_FILE }, (_, at) => (at % 12 === 11 ? `${word()}.\n` : word())).join(' ')}\n`,
  ]));
}
