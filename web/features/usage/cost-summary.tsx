import { formatCount } from '../../lib/format.ts';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import classes from './cost-summary.module.css';
import { formatMoney } from './format-money.ts';

const COST = graphql(`
  fragment CostOfMonth on Usage {
    requests
    recommendations
    trainings
    trainingCpuSeconds
    cost {
      amount
      currency
    }
    costPerThousand {
      amount
      currency
    }
    unitPrices {
      millionPoints {
        amount
        currency
      }
      trainingCpuHour {
        amount
        currency
      }
      millionItemsForAMonth {
        amount
        currency
      }
      millionInteractionsForAMonth {
        amount
        currency
      }
    }
  }
`);

export function CostSummary({ usage: masked }: { usage: FragmentType<typeof COST> }) {
  const usage = readFragment(COST, masked);
  const { cost, costPerThousand, unitPrices, recommendations, requests } = usage;
  const prices = [
    `${formatMoney(unitPrices.millionPoints)} a million points`,
    `${formatMoney(unitPrices.trainingCpuHour)} an hour of a core that trains`,
    `${formatMoney(unitPrices.millionItemsForAMonth)} a million items stored for a month`,
    `${formatMoney(unitPrices.millionInteractionsForAMonth)} a million interactions stored for a month`,
  ];
  const figures = [
    {
      label: 'Cost per 1,000 recommendations',
      value: costPerThousand ? formatMoney(costPerThousand) : 'none yet',
      note: `${formatCount(recommendations)} answers with recommendations`,
      testId: 'cost-per-thousand',
    },
    { label: 'Cost of the month', value: formatMoney(cost), note: 'answers, trainings and storage', testId: 'cost' },
    {
      label: 'Trainings',
      value: formatCount(usage.trainings),
      note: `${formatCount(usage.trainingCpuSeconds)} s of one core; ${formatCount(requests)} requests`,
      testId: 'usage-trainings',
    },
  ];
  return (
    <div className={classes.box}>
      <dl className={classes.figures}>
        {figures.map(({ label, value, note, testId }) => (
          <div key={label} className={classes.figure} data-testid={testId}>
            <dt>{label}</dt>
            <dd className={`${classes.value} numeric`}>{value}</dd>
            <dd className={classes.note}>{note}</dd>
          </div>
        ))}
      </dl>
      <p className={classes.prices}>At {prices.join(', ')}.</p>
    </div>
  );
}
