/** The cells of one CSV record (RFC 4180), or why it is none. */
export function parseCsvRow(text: string): { cells: string[] } | { problem: string } {
  const cells: string[] = [];
  for (let at = 0; ; at++) {
    if (text[at] !== '"') {
      const comma = text.indexOf(',', at);
      const cell = text.slice(at, comma === -1 ? undefined : comma);
      if (cell.includes('"'))
        return { problem: `Column ${cells.length + 1} has a quote in a cell that is not quoted.` };
      cells.push(cell);
      if (comma === -1) return { cells };
      at = comma;
      continue;
    }
    const end = findClosingQuote(text, at + 1);
    if (end === -1) return { problem: `Column ${cells.length + 1} has a quote that is not closed.` };
    cells.push(text.slice(at + 1, end).replaceAll('""', '"'));
    at = end + 1;
    if (at === text.length) return { cells };
    if (text[at] !== ',') return { problem: `Column ${cells.length} has text behind its closing quote.` };
  }
}

function findClosingQuote(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at !== -1; at = text.indexOf('"', at + 2)) {
    if (text[at + 1] !== '"') return at;
  }
  return -1;
}
