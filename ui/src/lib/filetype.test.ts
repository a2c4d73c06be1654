import { expect, it } from 'vitest';
import { familyOf } from './filetype';

it.each([
  ['notes.md', 'markdown'],
  ['REPORT.PDF', 'pdf'],
  ['archive.tar.gz', 'other'],
  ['main.rs', 'code'],
  ['.json', 'other'],
  ['Makefile', 'other'],
  ['name.', 'other'],
  ['constructor.toString', 'other'],
])('%s is %s', (name, family) => expect(familyOf(name)).toBe(family));
