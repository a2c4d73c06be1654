import { expect, it } from 'vitest';
import { marked, markerOf, markerOfWords } from './marks';

/** What is marked in `text` when `found` was marked in a result. */
function check(found: string[], text: string, expected: string[]) {
  const passages = found.map((word) => ({ text: `x ${word}`, highlights: [[2, 2 + word.length]] }));
  const marker = markerOf({ passages } as never);
  const runs = marked(text, marker);
  expect(runs.filter((run) => run.marked).map((run) => run.text)).toEqual(expected);
  expect(runs.map((run) => run.text).join('')).toBe(text);
}

it('marks the words found, in any case, and no parts of others', () => {
  check(['heat'], 'Heat, heating, reheat and heat.', ['Heat', 'heat']);
  check(['Öl'], 'Öl und Ölung', ['Öl']);
});

it('marks the longer of two', () => check(['heat', 'heat pump'], 'a heat pump', ['heat pump']));

it('marks inside a text without spaces', () => check(['上海'], '在上海市', ['上海']));

it('takes signs for what they are', () => check(['c++', 'a.b'], 'c++ axb a.b', ['c++', 'a.b']));

it('marks nothing where nothing was found', () => check([], 'a b', []));

it('marks the words of a query in a name, and nothing that it filters by', () => {
  const marker = markerOfWords('Heat pump -gas type:pdf in:house "flow rate"');
  const runs = marked('house heat-pump gas flow.pdf', marker);
  expect(runs.filter((run) => run.marked).map((run) => run.text)).toEqual(['heat', 'pump', 'flow']);
});
