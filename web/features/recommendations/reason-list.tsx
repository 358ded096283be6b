import { splitTitle } from '../../lib/title.ts';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import classes from './reason-list.module.css';

const REASON = graphql(`
  fragment ReasonListEntry on Reason {
    contribution
    item {
      id
      title
    }
  }
`);

const SHOWN = 2;

/** The user's own items that a score is owed to, each with its share of the score. */
export function ReasonList({
  reasons: masked,
  score,
}: {
  reasons: readonly FragmentType<typeof REASON>[];
  score: number;
}) {
  const reasons = readFragment(REASON, masked);
  return (
    <div className={classes.reasons} data-testid="recommendation-reasons">
      <span className={classes.because}>Because of</span>
      <ul className={classes.list}>
        {reasons.slice(0, SHOWN).map(({ item, contribution }) => {
          const share = score > 0 ? contribution / score : 0;
          return (
            <li
              key={item.id}
              className={classes.reason}
              title={`${item.title}: ${contribution.toFixed(3)} of ${score.toFixed(3)}`}
            >
              <span className={classes.title}>{splitTitle(item.title).name}</span>
              <span className="numeric">{Math.round(share * 100)}%</span>
              <span className={classes.track} aria-hidden="true">
                <span className={classes.fill} style={{ width: `${Math.min(100, Math.max(2, share * 100))}%` }} />
              </span>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
