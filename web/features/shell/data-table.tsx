import type { ReactNode } from 'react';
import classes from './data-table.module.css';

interface DataTableProps {
  /** What the table holds, for those who do not see it. */
  label: string;
  /** The heads of the columns; the last column's actions have none to see. */
  columns: readonly string[];
  withActions?: boolean;
  /** Rows of `td`s. */
  children: ReactNode;
}

/** A table that scrolls within its panel on narrow screens. */
export function DataTable({ label, columns, withActions = false, children }: DataTableProps) {
  return (
    <div className={classes.scroll} tabIndex={0} role="region" aria-label={label}>
      <table className={classes.table}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
            {withActions ? (
              <th scope="col">
                <span className={classes.hidden}>Actions</span>
              </th>
            ) : null}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

/** What a cell says first, and below it, smaller, what goes with it. */
export function CellText({ children, below }: { children: ReactNode; below?: ReactNode }) {
  return (
    <>
      <span className={classes.first}>{children}</span>
      {below === undefined ? null : <span className={classes.below}>{below}</span>}
    </>
  );
}
