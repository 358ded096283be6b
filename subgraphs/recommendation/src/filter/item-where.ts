import { AppError } from '@kindred/domain/app-error';
import type { CategoryWhere, ItemWhere, PropertyWhere } from '../generated/resolvers.ts';
import {
  type CatalogueColumns,
  type Column,
  isPropertyValue,
  kindOf,
  type PropertyValue,
} from './catalogue-columns.ts';
import { nearMisses } from './near-misses.ts';
import { RowSet } from './row-set.ts';

const DEEPEST = 6;
const MOST_CONDITIONS = 20;
const MOST_VALUES = 200;

/** What a condition is checked against: the rows that stand for an item now, and their values. */
export interface Rows {
  columns: CatalogueColumns;
  alive: RowSet;
}

/** Where a condition stands, for messages. */
interface Place {
  path: string;
  depth: number;
}

const TOP: Place = { path: 'input.where', depth: 1 };

/**
 * The rows of a catalogue for which a condition holds.
 * @throws AppError BAD_USER_INPUT for a condition outside the limits of the schema, an unknown property, and a value of
 * a kind that the property never has.
 */
export function rowsWhere(rows: Rows, where: ItemWhere, { path, depth }: Place = TOP): RowSet {
  if (depth > DEEPEST) throw wrong(path, `at most ${DEEPEST} conditions within each other`, 'more');
  const [field, value] = onlyField(where, path);
  const at = `${path}.${field}`;
  switch (field) {
    case 'and':
    case 'or': {
      const parts = checkList(value as ItemWhere[], MOST_CONDITIONS, at);
      const sets = parts.map((part, index) => rowsWhere(rows, part, { path: `${at}.${index}`, depth: depth + 1 }));
      return sets.reduce((joined, set) => (field === 'and' ? joined.and(set) : joined.or(set)));
    }
    case 'not':
      return rows.alive.without(rowsWhere(rows, value as ItemWhere, { path: at, depth: depth + 1 }));
    case 'category':
      return rowsOfCategory(rows, value as CategoryWhere, at);
    case 'property':
      return rowsOfProperty(rows, value as PropertyWhere, at);
    default:
      throw wrong(path, 'one of and, or, not, property, category', field);
  }
}

function rowsOfCategory({ columns, alive }: Rows, where: CategoryWhere, path: string): RowSet {
  const [field, value] = onlyField(where, path);
  const names = field === 'in' ? checkList(value as string[], MOST_VALUES, `${path}.in`) : [value as string];
  return rowsOfValues(columns.categories, names, alive);
}

function rowsOfProperty(rows: Rows, { name, ...where }: PropertyWhere, path: string): RowSet {
  const { columns, alive } = rows;
  const [field, value] = onlyField(where, path);
  const column = columns.properties.get(name);
  if (column === undefined) throw unknownProperty(columns, name, path);
  const at = `${path}.${field}`;
  const checked = (wanted: unknown): PropertyValue => checkValue(column, wanted, { name, path: at });
  switch (field) {
    case 'eq':
      return rowsOfValues(column, [checked(value)], alive);
    case 'ne':
      return alive.without(rowsOfValues(column, [checked(value)], alive));
    case 'in':
      return rowsOfValues(column, checkList(value as unknown[], MOST_VALUES, at).map(checked), alive);
    case 'contains':
      return rowsContaining(column, checked(value), alive);
    case 'exists':
      return value === true
        ? alive.and(new RowSet(alive.size, column.rows))
        : alive.without(new RowSet(alive.size, column.rows));
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte':
      return rowsInRange(column, { compare: COMPARE[field], bound: checked(value) as number, alive });
    default:
      throw wrong(path, 'one comparison', field);
  }
}

const COMPARE = {
  lt: (value: number, bound: number) => value < bound,
  lte: (value: number, bound: number) => value <= bound,
  gt: (value: number, bound: number) => value > bound,
  gte: (value: number, bound: number) => value >= bound,
};

function rowsInRange(
  { rowsOf }: Column,
  { compare, bound, alive }: { compare: (value: number, bound: number) => boolean; bound: number; alive: RowSet },
): RowSet {
  const found = new RowSet(alive.size);
  for (const [value, rows] of rowsOf) if (typeof value === 'number' && compare(value, bound)) found.add(rows);
  return found.and(alive);
}

function rowsOfValues({ rowsOf }: Column, values: readonly PropertyValue[], alive: RowSet): RowSet {
  const found = new RowSet(alive.size);
  for (const value of values) found.add(rowsOf.get(value) ?? []);
  return found.and(alive);
}

function rowsContaining(column: Column, part: PropertyValue, alive: RowSet): RowSet {
  if (column.hasLists || typeof part !== 'string') return rowsOfValues(column, [part], alive);
  const found = new RowSet(alive.size);
  const wanted = part.toLowerCase();
  for (const [value, rows] of column.rowsOf) {
    if (typeof value === 'string' && value.toLowerCase().includes(wanted)) found.add(rows);
  }
  return found.and(alive);
}

/** The one field that is set. */
function onlyField(where: object, path: string): [field: string, value: unknown] {
  const fields = Object.entries(where).filter(([, value]) => value !== null && value !== undefined);
  const [only, ...others] = fields;
  if (only !== undefined && others.length === 0) return only;
  throw wrong(path, 'exactly one field', fields.map(([field]) => field).join(' and ') || 'none');
}

function checkList<T>(values: readonly T[], most: number, path: string): readonly T[] {
  if (values.length >= 1 && values.length <= most) return values;
  throw wrong(path, `1-${most} values`, String(values.length));
}

function checkValue({ kinds }: Column, value: unknown, { name, path }: { name: string; path: string }): PropertyValue {
  if (isPropertyValue(value) && kinds.has(kindOf(value))) return value;
  const got = isPropertyValue(value) ? `the ${kindOf(value)} ${JSON.stringify(value)}` : JSON.stringify(value);
  throw wrong(path, `a ${[...kinds].join(' or a ')}, which the property "${name}" has`, got);
}

function unknownProperty({ properties }: CatalogueColumns, name: string, path: string): AppError {
  const near = nearMisses(name, [...properties.keys()]);
  const hint = near.length === 0 ? '' : ` (did you mean ${near.map((known) => `"${known}"`).join(' or ')}?)`;
  return wrong(`${path}.name`, 'a property that at least one item has', `"${name}"${hint}`);
}

function wrong(path: string, wanted: string, got: string): AppError {
  return new AppError('BAD_USER_INPUT', `${path} wants ${wanted}, got ${got}.`);
}
