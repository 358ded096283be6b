'use client';

import { IconTableImport, IconX } from '@tabler/icons-react';
import { useMutation, useQuery } from 'urql';
import { formatBytes, formatCount, formatDateTime } from '../../lib/format.ts';
import { newIdempotencyKey } from '../../lib/idempotency-key.ts';
import { readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import type { ImportDetailFragment } from '../../src/generated/graphql.ts';
import { AskButton } from '../jobs/ask-button.tsx';
import { DownloadButton } from '../jobs/download-button.tsx';
import classes from '../jobs/job-layout.module.css';
import { JobStatusPill } from '../jobs/job-status-pill.tsx';
import { doneShare, isJobOver } from '../jobs/job-status.ts';
import { useLiveJob } from '../jobs/use-live-job.ts';
import { WritersOnly } from '../session/writers-only.tsx';
import { FigureStrip } from '../shell/figure-strip.tsx';
import { Notice } from '../shell/notice.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { Panel } from '../shell/panel.tsx';
import { UnreadyPage } from '../shell/unready-page.tsx';
import { LiveState } from '../training/live-state.tsx';
import { FORMAT_NAMES, KIND_NAMES, POLICY_NAMES } from './import-names.ts';
import { RowErrors } from './row-errors.tsx';

const DETAIL = graphql(`
  fragment ImportDetail on Import {
    id
    kind
    format
    errorPolicy
    status
    phase
    failure
    sizeBytes
    doneBytes
    rowCount
    writtenCount
    duplicateCount
    failedCount
    lastSequence
    createdAt
    errors(first: 50) {
      edges {
        cursor
        node {
          ...RowError
        }
      }
      pageInfo {
        hasNextPage
      }
    }
  }
`);

const IMPORT = graphql(`
  query Import($id: ID!) {
    import(id: $id) {
      ...ImportDetail
    }
  }
`);

const PROGRESS = graphql(`
  subscription ImportProgress($id: ID!, $afterSequence: Int) {
    importProgress(importId: $id, afterSequence: $afterSequence) {
      sequence
      import {
        ...ImportDetail
      }
    }
  }
`);

const CANCEL = graphql(`
  mutation CancelImport($input: CancelImportInput!) {
    cancelImport(input: $input) {
      import {
        id
        status
      }
      userErrors {
        message
      }
    }
  }
`);

const TRAIL = [{ label: 'Imports', href: '/imports' }];

const MISSING = { icon: IconTableImport, title: 'No such import' };

export function ImportPage({ importId }: { importId: string }) {
  const [{ data, error, fetching }, refetch] = useQuery({
    query: IMPORT,
    variables: { id: importId },
    requestPolicy: 'cache-and-network',
  });
  const found = readFragment(DETAIL, data?.import);
  const refresh = () => refetch({ requestPolicy: 'network-only' });
  if (found) return <ImportView import={found} onChanged={refresh} />;
  return (
    <UnreadyPage title="Import" trail={TRAIL} missing={MISSING} fetching={fetching} error={error} onRetry={refresh} />
  );
}

interface ImportViewProps {
  import: ImportDetailFragment;
  onChanged: () => void;
}

/** A file on its way into the catalogue, and what was wrong with it. */
function ImportView({ import: shown, onChanged }: ImportViewProps) {
  const over = isJobOver(shown.status);
  useLiveJob(PROGRESS, { id: shown.id, lastSequence: shown.lastSequence, over, onLost: onChanged });
  const { kind, format, errorPolicy, status, createdAt } = shown;
  return (
    <>
      <PageHeader
        title={`Import of ${KIND_NAMES[kind].toLowerCase()}`}
        trail={TRAIL}
        badge={
          <>
            <JobStatusPill status={status} />
            <LiveState finished={over} refused={false} />
          </>
        }
        description={`${FORMAT_NAMES[format]}, asked for ${formatDateTime(createdAt)}. When rows are wrong: ${POLICY_NAMES[errorPolicy].toLowerCase()}.`}
        actions={over ? undefined : <CancelButton importId={shown.id} onChanged={onChanged} />}
      />
      <div className={classes.stack}>
        {status === 'FAILED' ? (
          <Notice title="The import failed">{shown.failure ?? 'No reason was given.'}</Notice>
        ) : null}
        <Progress import={shown} />
        <WrongRows import={shown} />
      </div>
    </>
  );
}

function Progress({ import: shown }: Pick<ImportViewProps, 'import'>) {
  const { status, phase, sizeBytes, doneBytes, rowCount, writtenCount, duplicateCount, failedCount } = shown;
  const readNote = sizeBytes == null ? 'not begun' : `${formatBytes(doneBytes)} of ${formatBytes(sizeBytes)}`;
  return (
    <FigureStrip
      testId="job-progress"
      label={phase === 'CHECK' ? 'Bytes checked' : 'Bytes written'}
      share={doneShare(doneBytes, sizeBytes, status)}
      over={isJobOver(status)}
      figures={[
        { label: phase === 'CHECK' ? 'Rows checked' : 'Rows read', value: formatCount(rowCount), note: readNote },
        { label: 'Written', value: formatCount(writtenCount), note: 'created or replaced' },
        { label: 'Known already', value: formatCount(duplicateCount), note: 'or repeated by the file' },
        { label: 'Wrong', value: formatCount(failedCount), note: 'not written' },
      ]}
    />
  );
}

function WrongRows({ import: { id, status, errors } }: Pick<ImportViewProps, 'import'>) {
  const shown = errors.edges.map(({ node }) => node);
  if (shown.length === 0) {
    return isJobOver(status) ? <Panel title="Wrong rows">No row was reported as wrong.</Panel> : null;
  }
  return (
    <Panel
      title="Wrong rows"
      description={errors.pageInfo.hasNextPage ? `The first ${shown.length}; the report has all.` : undefined}
      flush
      aside={
        <DownloadButton path={`/files/catalog/imports/${id}/errors`} fileName={`import-${id}-errors.jsonl`}>
          Download the report
        </DownloadButton>
      }
      testId="row-errors"
    >
      <RowErrors errors={shown} />
    </Panel>
  );
}

function CancelButton({ importId, onChanged }: { importId: string; onChanged: () => void }) {
  const [, cancel] = useMutation(CANCEL);
  return (
    <WritersOnly>
      <AskButton
        leftSection={<IconX size={16} />}
        ask={async () => {
          const { data, error } = await cancel({ input: { importId, idempotencyKey: newIdempotencyKey() } });
          return { error, userErrors: data?.cancelImport.userErrors };
        }}
        words={{ done: 'What was written stays.', failed: 'The import was not cancelled' }}
        onDone={onChanged}
        testId="cancel-import"
      >
        Cancel
      </AskButton>
    </WritersOnly>
  );
}
