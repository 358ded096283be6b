import { formatShare } from '../../lib/format.ts';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import classes from './canary-sides.module.css';

const SIDE = graphql(`
  fragment CanarySideRow on CanarySide {
    version {
      id
      number
    }
    sharePercent
    answerCount
    clickCount
    clickThroughRate
    errorCount
  }
`);

interface CanarySidesProps {
  trial: FragmentType<typeof SIDE>;
  control: FragmentType<typeof SIDE>;
}

/** A version on trial beside the one that answers. */
export function CanarySides({ trial, control }: CanarySidesProps) {
  return (
    <table className={`${classes.sides} numeric`}>
      <thead>
        <tr>
          {['Version', 'Users', 'Answers', 'Click-through', 'Errors'].map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        <SideRow side={trial} arm="CANARY" />
        <SideRow side={control} arm="CONTROL" />
      </tbody>
    </table>
  );
}

function SideRow({ side: masked, arm }: { side: FragmentType<typeof SIDE>; arm: 'CANARY' | 'CONTROL' }) {
  const { version, sharePercent, answerCount, clickThroughRate, errorCount } = readFragment(SIDE, masked);
  return (
    <tr data-testid="canary-side" data-arm={arm}>
      <th scope="row">
        {version.number}
        {arm === 'CANARY' ? ' (on trial)' : ''}
      </th>
      <td>{sharePercent} %</td>
      <td>{answerCount.toLocaleString('en')}</td>
      <td>{clickThroughRate == null ? '–' : formatShare(clickThroughRate)}</td>
      <td>{errorCount.toLocaleString('en')}</td>
    </tr>
  );
}
