/** One column of a printed table. */
export interface Column<Row> {
  readonly title: string;
  /** Null where the row has no such figure. */
  readonly cell: (row: Row) => string | null;
}

/** The table as lines, a heading first; text columns to the left, figures to the right. */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const texts = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ cell }) => cell(row) ?? '-'))];
  const widths = columns.map((_, at) => Math.max(...texts.map((line) => line[at]?.length ?? 0)));
  const isText = columns.map((_, at) => texts.slice(1).some((line) => /^[a-z]/i.test(line[at] ?? '')));
  return texts.map((line) => {
    const cells = line.map((text, at) => (isText[at] ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0)));
    return cells.join('  ').trimEnd();
  });
}
