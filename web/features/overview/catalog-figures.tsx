import { formatCount } from '../../lib/format.ts';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import classes from './catalog-figures.module.css';

const FIGURES = graphql(`
  fragment CatalogFigures on CatalogSummary {
    itemCount
    userCount
    interactionCount
  }
`);

export function CatalogFigures({ catalog: masked }: { catalog: FragmentType<typeof FIGURES> }) {
  const { itemCount, userCount, interactionCount } = readFragment(FIGURES, masked);
  const figures = [
    { label: 'Items', value: formatCount(itemCount), note: 'in the catalogue' },
    { label: 'Users', value: formatCount(userCount), note: perUser(interactionCount, userCount) },
    {
      label: 'Interactions',
      value: formatCount(interactionCount),
      note: density(interactionCount, itemCount * userCount),
    },
  ];
  return (
    <dl className={classes.figures} data-testid="catalog-figures">
      {figures.map(({ label, value, note }) => (
        <div key={label} className={classes.figure}>
          <dt>{label}</dt>
          <dd className={`${classes.value} numeric`}>{value}</dd>
          <dd className={classes.note}>{note}</dd>
        </div>
      ))}
    </dl>
  );
}

function perUser(interactions: number, users: number): string {
  return users === 0 ? 'none yet' : `${formatCount(interactions / users)} interactions each on average`;
}

function density(interactions: number, cells: number): string {
  return cells === 0 ? 'none yet' : `${((interactions / cells) * 100).toPrecision(2)}% of all pairs`;
}
