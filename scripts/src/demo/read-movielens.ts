import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { StopReason } from '../report-error.ts';
import type { DemoDataset, DemoItem, DemoRating } from './dataset.ts';

const MOVIELENS_LICENCE =
  'MovieLens data © GroupLens, University of Minnesota: for research, not for commercial use without permission; cite Harper and Konstan 2015, doi 10.1145/2827872.';

const SHOWN_PROBLEMS = 5;

/** A row of a CSV file and the line that it stands on, counted from 1. */
interface Row {
  line: number;
  cells: string[];
}

/**
 * Reads a data set in MovieLens' CSV format from a folder with movies.csv and ratings.csv, or from its subfolder
 * ml-latest-small.
 * @throws StopReason when a file is missing, or naming the rows that are broken and what is wrong with each.
 */
export async function readMovieLens(dir: string): Promise<DemoDataset> {
  const folder = [dir, join(dir, 'ml-latest-small')].find((candidate) => isMovieLens(candidate));
  if (folder === undefined) {
    throw new StopReason(
      `${dir} holds no movies.csv and ratings.csv, and no ml-latest-small with them: check --data or KINDRED_DATA_DIR.`,
    );
  }
  const movies = await readFile(join(folder, 'movies.csv'), 'utf8');
  const ratings = await readFile(join(folder, 'ratings.csv'), 'utf8');
  return parseMovieLens({ movies, ratings, name: basename(folder) });
}

function isMovieLens(folder: string): boolean {
  return existsSync(join(folder, 'movies.csv')) && existsSync(join(folder, 'ratings.csv'));
}

/**
 * The data set in the text of its two files.
 * @throws StopReason naming the rows that are broken.
 */
export function parseMovieLens(texts: { movies: string; ratings: string; name: string }): DemoDataset {
  const problems: string[] = [];
  const items = new Map<string, DemoItem>();
  for (const row of readCsv('movies.csv', texts.movies, ['movieId', 'title', 'genres'])) {
    const item = readMovie(row);
    if (typeof item === 'string') problems.push(`movies.csv line ${row.line}: ${item}`);
    else if (items.has(item.externalId))
      problems.push(`movies.csv line ${row.line}: movieId ${item.externalId} is there twice`);
    else items.set(item.externalId, item);
  }
  const ratings: DemoRating[] = [];
  for (const row of readCsv('ratings.csv', texts.ratings, ['userId', 'movieId', 'rating', 'timestamp'])) {
    const rating = readRating(row, items);
    if (typeof rating === 'string') problems.push(`ratings.csv line ${row.line}: ${rating}`);
    else ratings.push(rating);
  }
  if (ratings.length === 0 && problems.length === 0) problems.push('ratings.csv holds no rating');
  if (problems.length > 0) throw new StopReason(`The data in ${texts.name} is broken: ${summarise(problems)}.`);
  return {
    source: `MovieLens ${texts.name}`,
    simulated: false,
    licence: MOVIELENS_LICENCE,
    items: [...items.values()],
    ratings,
  };
}

function summarise(problems: readonly string[]): string {
  const shown = problems.slice(0, SHOWN_PROBLEMS).join('; ');
  return problems.length > SHOWN_PROBLEMS ? `${shown}; and ${problems.length - SHOWN_PROBLEMS} more` : shown;
}

function readCsv(file: string, text: string, columns: readonly string[]): Row[] {
  const rows: Row[] = [];
  try {
    parse(text, {
      bom: true,
      relax_column_count: true,
      skip_empty_lines: true,
      on_record: (cells: string[], { lines }) => {
        rows.push({ line: lines, cells });
        return null;
      },
    });
  } catch (cause) {
    throw new StopReason(`${file} is not CSV: ${cause instanceof Error ? cause.message : String(cause)}.`, { cause });
  }
  const [header, ...rest] = rows;
  const wanted = columns.join(',');
  const found = header?.cells.join(',') ?? 'nothing';
  if (found !== wanted) throw new StopReason(`${file} must begin with "${wanted}", got "${found.slice(0, 80)}".`);
  return rest;
}

function readMovie({ cells }: Row): DemoItem | string {
  const [movieId = '', title = '', genres = ''] = cells;
  if (cells.length !== 3) return `wanted 3 columns, got ${cells.length}`;
  if (!/^\d+$/.test(movieId)) return `movieId must be a number, got "${movieId}"`;
  if (title.trim() === '') return 'the title is empty';
  const year = /\((\d{4})\)\s*$/.exec(title)?.[1];
  return {
    externalId: movieId,
    title: title.trim(),
    categories: genres.split('|').filter((genre) => genre !== '' && genre !== '(no genres listed)'),
    properties: year === undefined ? {} : { year: Number(year) },
  };
}

function readRating({ cells }: Row, items: ReadonlyMap<string, DemoItem>): DemoRating | string {
  const [userId = '', movieId = '', rating = '', timestamp = ''] = cells;
  if (cells.length !== 4) return `wanted 4 columns, got ${cells.length}`;
  if (!/^\d+$/.test(userId)) return `userId must be a number, got "${userId}"`;
  if (!items.has(movieId)) return `movieId "${movieId}" is not in movies.csv`;
  const value = rating.trim() === '' ? Number.NaN : Number(rating);
  if (!(value >= 0.5 && value <= 5)) return `rating must be from 0.5 to 5, got "${rating}"`;
  if (!/^\d{1,10}$/.test(timestamp)) return `timestamp must be seconds since 1970, got "${timestamp}"`;
  return { userExternalId: userId, itemExternalId: movieId, value, occurredAt: Number(timestamp) * 1000 };
}
