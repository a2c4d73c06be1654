import { expect, it } from 'vitest';
import { plainText } from './entities';

it('knows the common ones, and leaves the others', () => {
  expect(plainText('a &amp; b &lt;c&gt; &#8217; &nbsp;')).toBe('a & b <c> ’ \u00a0');
  expect(plainText('&unknown; &#0; &#9999999; &amp &toString;')).toBe(
    '&unknown; &#0; &#9999999; &amp &toString;',
  );
});
