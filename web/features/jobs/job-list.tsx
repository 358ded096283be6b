'use client';

import Link from 'next/link';
import type { ReactNode } from 'react';
import { formatAgo, formatDateTime } from '../../lib/format.ts';
import type { JobStatus } from '../../src/generated/graphql.ts';
import { CellText, DataTable } from '../shell/data-table.tsx';
import { useNow } from '../shell/use-now.ts';
import { JobStatusPill } from './job-status-pill.tsx';
import { isJobOver } from './job-status.ts';

export interface JobListRow {
  id: string;
  href: string;
  title: string;
  outcome: ReactNode;
  status: JobStatus;
  createdAt: string;
}

/** Long work, newest first, each with a link to its page. */
export function JobList({ label, rows }: { label: string; rows: readonly JobListRow[] }) {
  const now = useNow(
    10_000,
    rows.some(({ status }) => !isJobOver(status)),
  );
  return (
    <DataTable label={label} columns={['Asked for', 'Outcome', 'State']}>
      {rows.map((row) => (
        <tr key={row.id} data-testid="job-row">
          <td>
            <CellText below={<span title={formatDateTime(row.createdAt)}>{formatAgo(row.createdAt, now)}</span>}>
              <Link href={row.href}>{row.title}</Link>
            </CellText>
          </td>
          <td>{row.outcome}</td>
          <td>
            <JobStatusPill status={row.status} />
          </td>
        </tr>
      ))}
    </DataTable>
  );
}
