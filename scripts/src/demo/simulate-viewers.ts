import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { DemoDataset, DemoItem, DemoRating } from './dataset.ts';
import { createRandom, type Random } from './random.ts';

const VIEWERS = 600;
const TASTES = 8;
const SEED = 20_261_123;
const FIRST_DAY = Date.UTC(2025, 0, 1);
const DAY_MS = 86_400_000;
const DAYS = 600;

interface VegaMovie {
  Title: string | number | null;
  'Major Genre': string | null;
  'Creative Type': string | null;
  'Release Date': string | null;
  Director: string | null;
  'IMDB Rating': number | null;
  'IMDB Votes': number | null;
}

interface Movie {
  item: DemoItem;
  genre: string;
  /** Log of its number of votes: how well known it is. */
  fame: number;
  /** How good people find it, in stars above the mean. */
  quality: number;
}

/**
 * The film catalogue of the npm package vega-datasets with viewers who are made up: each has a hidden taste, likes the
 * genres near it, and sees well-known films more often. Labelled as simulated; the same on every machine.
 */
export async function simulateViewers(): Promise<DemoDataset> {
  const movies = await readMovies();
  return {
    source: 'vega-datasets movies, simulated viewers',
    simulated: true,
    licence: 'Film catalogue from the npm package vega-datasets; its viewers are simulated, not people.',
    items: movies.map(({ item }) => item),
    ratings: simulateRatings(movies, createRandom(SEED)),
  };
}

async function readMovies(): Promise<Movie[]> {
  const path = fileURLToPath(new URL('../data/movies.json', import.meta.resolve('vega-datasets')));
  const rows = JSON.parse(await readFile(path, 'utf8')) as VegaMovie[];
  const movies = new Map<string, Movie>();
  for (const [index, row] of rows.entries()) {
    const movie = readMovie(row, index);
    if (movie !== null && !movies.has(movie.item.title)) movies.set(movie.item.title, movie);
  }
  return [...movies.values()];
}

function readMovie(row: VegaMovie, index: number): Movie | null {
  const genre = row['Major Genre'];
  const votes = row['IMDB Votes'];
  if (row.Title === null || genre === null || votes === null) return null;
  const year = /(\d{4})$/.exec(row['Release Date'] ?? '')?.[1];
  const creativeType = row['Creative Type'];
  const properties = {
    ...(year === undefined ? {} : { year: Number(year) }),
    ...(row.Director === null ? {} : { director: row.Director }),
  };
  return {
    item: {
      externalId: `film-${index + 1}`,
      title: String(row.Title),
      categories: creativeType === null ? [genre] : [genre, creativeType],
      properties,
    },
    genre,
    fame: Math.log(votes),
    quality: ((row['IMDB Rating'] ?? 6.3) - 6.3) / 2,
  };
}

/** What a viewer thinks of a film: how near it is to the viewer's taste. */
function simulateRatings(movies: readonly Movie[], random: Random): DemoRating[] {
  const vector = (scale: number): number[] => Array.from({ length: TASTES }, () => random.normal() * scale);
  const genres = new Map([...new Set(movies.map(({ genre }) => genre))].map((genre) => [genre, vector(1)]));
  const films = movies.map(({ genre }) => add(genres.get(genre) ?? [], vector(0.5)));
  const favourites = [...genres.values()];
  return Array.from({ length: VIEWERS }, (_, viewer) => {
    const taste = add(add(pick(favourites, random), pick(favourites, random)), vector(0.4));
    const affinities = films.map((film) => dot(taste, film) / TASTES);
    const seen = sampleSeen(movies, affinities, random);
    return rateInOrder({ viewer, seen, movies, affinities, random });
  }).flat();
}

/** Which films a viewer saw, by the Gumbel trick: the likeliest of a sample without replacement. */
function sampleSeen(movies: readonly Movie[], affinities: readonly number[], random: Random): number[] {
  const count = Math.min(200, Math.round(20 + 30 * Math.exp(random.normal() * 0.7)));
  return movies
    .map(({ fame }, row) => {
      const gumbel = -Math.log(-Math.log(random.next() || Number.MIN_VALUE));
      return { row, key: 2.5 * (affinities[row] ?? 0) + 0.9 * fame + gumbel };
    })
    .toSorted((a, b) => b.key - a.key)
    .slice(0, count)
    .map(({ row }) => row);
}

function rateInOrder(context: {
  viewer: number;
  seen: readonly number[];
  movies: readonly Movie[];
  affinities: readonly number[];
  random: Random;
}): DemoRating[] {
  const { viewer, seen, movies, affinities, random } = context;
  const firstDay = random.next() * DAYS * 0.5;
  return seen.map((row) => {
    const stars = 3.2 + (affinities[row] ?? 0) + (movies[row]?.quality ?? 0) * 0.5 + random.normal() * 0.5;
    const day = firstDay + random.next() * (DAYS - firstDay);
    return {
      userExternalId: `viewer-${viewer + 1}`,
      itemExternalId: movies[row]?.item.externalId ?? '',
      value: Math.min(5, Math.max(0.5, Math.round(stars * 2) / 2)),
      occurredAt: FIRST_DAY + Math.floor(day * DAY_MS),
    };
  });
}

function pick<T>(values: readonly T[], random: Random): T {
  const value = values[Math.floor(random.next() * values.length)];
  if (value === undefined) throw new Error(`Wanted one of ${values.length} values`);
  return value;
}

function add(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, index) => value + (b[index] ?? 0));
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}
