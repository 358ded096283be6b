import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import { DataTable } from '../shell/data-table.tsx';

const ERROR = graphql(`
  fragment RowError on ImportError {
    line
    field
    message
  }
`);

/** Wrong rows in the order of the file, each with its reason. */
export function RowErrors({ errors: masked }: { errors: readonly FragmentType<typeof ERROR>[] }) {
  const errors = readFragment(ERROR, masked);
  return (
    <DataTable label="Wrong rows" columns={['Line', 'Reason', 'Field']}>
      {errors.map(({ line, field, message }) => (
        <tr key={`${line}:${field}:${message}`} data-testid="row-error">
          <td className="numeric">{line.toLocaleString('en')}</td>
          <td>{message}</td>
          <td>{field ?? 'the row'}</td>
        </tr>
      ))}
    </DataTable>
  );
}
