import { expect, it } from 'vitest';
import { duplicateNames } from './duplicateNames';

it('lists each repeated name once', () => {
  expect(duplicateNames(['a', 'b', 'a', 'c', 'b', 'a'])).toEqual(['a', 'b']);
});

it('lists nothing when all names differ', () => {
  expect(duplicateNames(['a', 'b'])).toEqual([]);
});
