import { firstLetter } from '../../lib/format.ts';
import { splitTitle } from '../../lib/title.ts';

export const POSTER_MOTIFS = ['sun', 'waves', 'rings', 'hills', 'beams', 'grid', 'arcs', 'moons'] as const;
export type PosterMotif = (typeof POSTER_MOTIFS)[number];

const POSTER_GLYPHS = [
  'bolt',
  'compass',
  'sparkles',
  'balloon',
  'laugh',
  'fingerprint',
  'camera',
  'masks',
  'wand',
  'moon',
  'ghost',
  'music',
  'search',
  'heart',
  'rocket',
  'flame',
  'shield',
  'cactus',
  'film',
] as const;
export type PosterGlyph = (typeof POSTER_GLYPHS)[number];

/** A drawn poster: the same title and categories always give the same one. Colours are CSS colours. */
export interface PosterDesign {
  name: string;
  year: string | null;
  initials: string;
  motif: PosterMotif;
  glyph: PosterGlyph;
  from: string;
  to: string;
  accent: string;
  /** Fractions of 0-1 that place the motif's parts. */
  seeds: readonly [number, number, number, number];
}

const GLYPH_BY_CATEGORY: Record<string, PosterGlyph> = {
  action: 'bolt',
  adventure: 'compass',
  animation: 'sparkles',
  children: 'balloon',
  comedy: 'laugh',
  crime: 'fingerprint',
  documentary: 'camera',
  drama: 'masks',
  fantasy: 'wand',
  'film-noir': 'moon',
  horror: 'ghost',
  musical: 'music',
  mystery: 'search',
  romance: 'heart',
  'sci-fi': 'rocket',
  thriller: 'flame',
  war: 'shield',
  western: 'cactus',
};

// Hues that the categories suggest; the title moves them, so that two comedies differ.
const HUE_BY_GLYPH: Partial<Record<PosterGlyph, number>> = {
  bolt: 18,
  compass: 165,
  sparkles: 285,
  balloon: 330,
  laugh: 42,
  fingerprint: 215,
  camera: 190,
  masks: 255,
  wand: 275,
  moon: 230,
  ghost: 350,
  music: 310,
  search: 200,
  heart: 340,
  rocket: 225,
  flame: 8,
  shield: 95,
  cactus: 30,
};

/** The FNV-1a hash of the text's UTF-16 code units, 0 to 2^32-1. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let position = 0; position < text.length; position += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(position), 0x01000193);
  }
  // FNV leaves short texts alike in the high bits: finish as murmur3 does.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

export function designPoster(title: string, categories: readonly string[]): PosterDesign {
  const { name, year } = splitTitle(title);
  const hash = hashText(title);
  const known = categories
    .map((category) => GLYPH_BY_CATEGORY[category.toLowerCase()])
    .find((glyph) => glyph !== undefined);
  const glyph = known ?? 'film';
  const base = HUE_BY_GLYPH[glyph] ?? hash % 360;
  const hue = (base + (hash % 61) - 30 + 360) % 360;
  const turn = 25 + ((hash >>> 8) % 50);
  const second = (hue + (((hash >>> 16) & 1) === 0 ? turn : 360 - turn)) % 360;
  return {
    name,
    year,
    initials: initialsOf(name),
    motif: POSTER_MOTIFS[(hash >>> 4) % POSTER_MOTIFS.length] ?? 'sun',
    glyph,
    from: `hsl(${hue} 46% 33%)`,
    to: `hsl(${second} 58% 12%)`,
    accent: `hsl(${(hue + 28) % 360} 82% 70%)`,
    seeds: [fraction(hash, 0), fraction(hash, 8), fraction(hash, 16), fraction(hash, 24)],
  };
}

function fraction(hash: number, shift: number): number {
  return ((hash >>> shift) & 0xff) / 255;
}

/** The first letters of the first two words that count: `The Silence of the Lambs` gives `SL`. */
function initialsOf(name: string): string {
  const words = name.split(/[\s\-–:,.&]+/u).filter((word) => word !== '');
  const telling = words.filter((word) => !/^(the|a|an|of|and|in|on|to|de|la|le|der|die|das)$/i.test(word));
  const chosen = (telling.length > 0 ? telling : words).slice(0, 2);
  return chosen.map(firstLetter).join('');
}
