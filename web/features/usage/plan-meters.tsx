import { formatCount } from '../../lib/format.ts';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import classes from './plan-meters.module.css';

const LIMITS = graphql(`
  fragment PlanLimits on Plan {
    itemCount
    interactionCount
    trainingsPerMonth
    concurrentTrainings
    requestsPerMonth
    pointsPerMonth
    pointsPerSecond
  }
`);

const USED = graphql(`
  fragment UsedOfPlan on Usage {
    requests
    points
    trainings
    storedItems
    storedInteractions
  }
`);

/** From here on a limit is close enough to be told by colour. */
const CLOSE = 0.8;

export function PlanMeters({ plan, usage }: { plan: FragmentType<typeof LIMITS>; usage: FragmentType<typeof USED> }) {
  const limits = readFragment(LIMITS, plan);
  const used = readFragment(USED, usage);
  return (
    <>
      <div className={classes.meters}>
        <Meter label="Requests" used={used.requests} limit={limits.requestsPerMonth} />
        <Meter label="Points of cost" used={used.points} limit={limits.pointsPerMonth} />
        <Meter label="Items stored" used={used.storedItems} limit={limits.itemCount} />
        <Meter label="Interactions stored" used={used.storedInteractions} limit={limits.interactionCount} />
        <Meter label="Trainings" used={used.trainings} limit={limits.trainingsPerMonth} />
      </div>
      <p className={classes.rates}>
        At most {formatCount(limits.pointsPerSecond)} points a second, and {formatCount(limits.concurrentTrainings)}{' '}
        {limits.concurrentTrainings === 1 ? 'training' : 'trainings'} at one time.
      </p>
    </>
  );
}

function Meter({ label, used, limit }: { label: string; used: number; limit: number }) {
  const share = Math.min(1, used / limit);
  const text = `${formatCount(used)} of ${formatCount(limit)}`;
  const state = share >= 1 ? 'full' : share >= CLOSE ? 'close' : 'fine';
  return (
    <div className={classes.row} data-state={state} data-testid="plan-meter">
      <span className={classes.name}>{label}</span>
      <span
        className={classes.track}
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={limit}
        aria-valuenow={Math.min(used, limit)}
        aria-valuetext={text}
      >
        <span className={classes.fill} style={{ width: `${used === 0 ? 0 : Math.max(0.5, share * 100)}%` }} />
      </span>
      <span className={`${classes.value} numeric`}>
        {text}
        {state === 'full' ? ': nothing is left' : ''}
      </span>
    </div>
  );
}
