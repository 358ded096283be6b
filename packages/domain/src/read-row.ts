/** What reading one row gave: the row to write, or what is wrong with which of its fields. */
export type ReadRow<Row> = { row: Row } | { field: string; problem: string };
