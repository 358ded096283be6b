/** What a property can be: the elements of a list count one by one. */
export type PropertyValue = string | number | boolean;

/** The values of one property over all rows of a catalogue. */
export interface Column {
  /** The rows of each value, ascending. */
  readonly rowsOf: Map<PropertyValue, number[]>;
  /** The rows that have any value, ascending. */
  readonly rows: number[];
  /** The kinds of values that were seen. */
  readonly kinds: Set<'text' | 'number' | 'boolean'>;
  hasLists: boolean;
}

/** The properties and categories of items, column by column. Rows are only added: a changed item gets another one. */
export class CatalogueColumns {
  readonly properties = new Map<string, Column>();
  readonly categories = newColumn();

  add(row: number, item: { categories: readonly string[]; properties: Readonly<Record<string, unknown>> }): void {
    addValues(this.categories, row, item.categories);
    for (const [name, value] of Object.entries(item.properties)) {
      const values = valuesOf(value);
      if (values.length === 0) continue;
      let column = this.properties.get(name);
      if (column === undefined) this.properties.set(name, (column = newColumn()));
      column.hasLists ||= Array.isArray(value);
      addValues(column, row, values);
    }
  }
}

function newColumn(): Column {
  return { rowsOf: new Map(), rows: [], kinds: new Set(), hasLists: false };
}

function addValues(column: Column, row: number, values: readonly PropertyValue[]): void {
  if (values.length === 0) return;
  column.rows.push(row);
  for (const value of new Set(values)) {
    column.kinds.add(kindOf(value));
    const rows = column.rowsOf.get(value);
    if (rows === undefined) column.rowsOf.set(value, [row]);
    else rows.push(row);
  }
}

/** Objects, and null, are not looked at. */
function valuesOf(value: unknown): PropertyValue[] {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  return values.filter(isPropertyValue);
}

export function isPropertyValue(value: unknown): value is PropertyValue {
  return (
    typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
  );
}

export function kindOf(value: PropertyValue): 'text' | 'number' | 'boolean' {
  if (typeof value === 'string') return 'text';
  return typeof value === 'number' ? 'number' : 'boolean';
}
