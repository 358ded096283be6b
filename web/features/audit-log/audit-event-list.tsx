'use client';

import { formatDateTime } from '../../lib/format.ts';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import type { AuditActorKind } from '../../src/generated/graphql.ts';
import { CellText, DataTable } from '../shell/data-table.tsx';
import { actionName, detailTexts } from './action-names.ts';
import classes from './audit-log-page.module.css';

const ROW = graphql(`
  fragment AuditEventRow on AuditEvent {
    sequence
    at
    actorKind
    actorId
    action
    details
    hash
  }
`);

const ACTORS: Readonly<Record<AuditActorKind, string>> = {
  ACCOUNT: 'Account',
  OPERATOR: 'Platform operator',
  API_KEY: 'API key',
  PLATFORM: 'The platform itself',
};

export function AuditEventList({ events: masked }: { events: readonly FragmentType<typeof ROW>[] }) {
  const events = readFragment(ROW, masked);
  return (
    <DataTable label="Audit log" columns={['No.', 'When', 'What', 'Who', 'Hash']}>
      {events.map(({ sequence, at, actorKind, actorId, action, details, hash }) => (
        <tr key={sequence} data-testid="audit-row" data-action={action}>
          <td className="numeric">{sequence}</td>
          <td className="numeric">{formatDateTime(at)}</td>
          <td>
            <CellText>{actionName(action)}</CellText>
            {detailTexts(details).map((text) => (
              <div key={text} className={classes.details}>
                {text}
              </div>
            ))}
          </td>
          <td>
            <CellText below={actorKind === 'PLATFORM' ? undefined : actorId}>{ACTORS[actorKind]}</CellText>
          </td>
          <td>
            <code className="mono" title={hash}>
              {hash.slice(0, 8)}
            </code>
          </td>
        </tr>
      ))}
    </DataTable>
  );
}
