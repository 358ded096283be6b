import { expect, it } from 'vitest';
import { designPoster, hashText, POSTER_MOTIFS } from './poster-design.ts';

it('draws the same poster for the same title every time', () => {
  expect(designPoster('Heat (1995)', ['Action', 'Crime'])).toEqual(designPoster('Heat (1995)', ['Action', 'Crime']));
  expect(hashText('Heat (1995)')).toBe(hashText('Heat (1995)'));
});

it('draws different posters for titles of one genre', () => {
  const designs = Array.from({ length: 40 }, (_, at) => designPoster(`Comedy number ${at}`, ['Comedy']));
  expect(new Set(designs.map(({ from, motif }) => from + motif)).size).toBeGreaterThan(30);
  expect(new Set(designs.map(({ motif }) => motif)).size).toBe(POSTER_MOTIFS.length);
});

it('takes the glyph from the first genre that has one', () => {
  expect(designPoster('Alien (1979)', ['Unknown', 'Horror', 'Sci-Fi']).glyph).toBe('ghost');
  expect(designPoster('A thing', []).glyph).toBe('film');
});

it('takes the initials of the words that count', () => {
  expect(designPoster('Silence of the Lambs, The (1991)', []).initials).toBe('SL');
  expect(designPoster('It (1990)', []).initials).toBe('I');
  expect(designPoster('The', []).initials).toBe('T');
  expect(designPoster('élan vital', []).initials).toBe('ÉV');
});
