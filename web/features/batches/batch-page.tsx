'use client';

import { IconFileDownload, IconX } from '@tabler/icons-react';
import { useMutation, useQuery } from 'urql';
import { formatBytes, formatCount, formatDateTime } from '../../lib/format.ts';
import { newIdempotencyKey } from '../../lib/idempotency-key.ts';
import { readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import type { BatchDetailFragment } from '../../src/generated/graphql.ts';
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

const DETAIL = graphql(`
  fragment BatchDetail on BatchRecommendation {
    id
    status
    failure
    count
    userCount
    doneCount
    skippedCount
    lastSequence
    createdAt
    model {
      id
      name
    }
    file {
      path
      sizeBytes
      expiresAt
    }
  }
`);

const BATCH = graphql(`
  query BatchRecommendation($id: ID!) {
    batchRecommendation(id: $id) {
      ...BatchDetail
    }
  }
`);

const PROGRESS = graphql(`
  subscription BatchRecommendationProgress($id: ID!, $afterSequence: Int) {
    batchRecommendationProgress(batchRecommendationId: $id, afterSequence: $afterSequence) {
      sequence
      batchRecommendation {
        ...BatchDetail
      }
    }
  }
`);

const CANCEL = graphql(`
  mutation CancelBatchRecommendation($input: CancelBatchRecommendationInput!) {
    cancelBatchRecommendation(input: $input) {
      batchRecommendation {
        id
        status
      }
      userErrors {
        message
      }
    }
  }
`);

const TRAIL = [{ label: 'Models', href: '/models' }];

const MISSING = { icon: IconFileDownload, title: 'No such batch' };

export function BatchPage({ batchId }: { batchId: string }) {
  const [{ data, error, fetching }, refetch] = useQuery({
    query: BATCH,
    variables: { id: batchId },
    requestPolicy: 'cache-and-network',
  });
  const batch = readFragment(DETAIL, data?.batchRecommendation);
  const refresh = () => refetch({ requestPolicy: 'network-only' });
  if (batch) return <BatchView batch={batch} onChanged={refresh} />;
  return (
    <UnreadyPage title="Batch" trail={TRAIL} missing={MISSING} fetching={fetching} error={error} onRetry={refresh} />
  );
}

interface BatchViewProps {
  batch: BatchDetailFragment;
  onChanged: () => void;
}

/** A batch while it is written, and its file. */
function BatchView({ batch, onChanged }: BatchViewProps) {
  const over = isJobOver(batch.status);
  useLiveJob(PROGRESS, { id: batch.id, lastSequence: batch.lastSequence, over, onLost: onChanged });
  const { status, userCount, doneCount, skippedCount, count } = batch;
  return (
    <>
      <PageHeader
        title="Batch recommendations"
        trail={[...TRAIL, { label: batch.model.name, href: `/models/${batch.model.id}` }]}
        badge={
          <>
            <JobStatusPill status={status} />
            <LiveState finished={over} refused={false} />
          </>
        }
        description={`Asked for ${formatDateTime(batch.createdAt)}, at most ${formatCount(count)} items for each user.`}
        actions={over ? undefined : <CancelButton batchId={batch.id} onChanged={onChanged} />}
      />
      <div className={classes.stack}>
        {status === 'FAILED' ? (
          <Notice title="The batch failed">{batch.failure ?? 'No reason was given.'}</Notice>
        ) : null}
        <FigureStrip
          testId="job-progress"
          label="Users done"
          share={doneShare(doneCount, userCount, status)}
          over={over}
          figures={[
            {
              label: 'Users done',
              value: formatCount(doneCount),
              note: userCount == null ? 'not begun' : `of ${formatCount(userCount)}`,
            },
            { label: 'Without a line', value: formatCount(skippedCount), note: 'not known to the version, or gone' },
          ]}
        />
        <BatchFile batch={batch} />
      </div>
    </>
  );
}

function BatchFile({ batch: { id, status, file } }: { batch: BatchDetailFragment }) {
  if (status !== 'SUCCEEDED') return null;
  if (!file) {
    return (
      <Panel title="The file is deleted" testId="batch-file">
        It went after seven days, or because a user of yours was erased. Start another batch.
      </Panel>
    );
  }
  return (
    <Panel
      title="File"
      description={`${formatBytes(file.sizeBytes)}, a JSON object on each line. Deleted ${formatDateTime(file.expiresAt)}, or when any user of yours is erased.`}
      aside={
        <DownloadButton path={file.path} fileName={`recommendations-${id}.jsonl`}>
          Download
        </DownloadButton>
      }
      testId="batch-file"
    >
      <code>GET {file.path}</code>
    </Panel>
  );
}

function CancelButton({ batchId, onChanged }: { batchId: string; onChanged: () => void }) {
  const [, cancel] = useMutation(CANCEL);
  return (
    <WritersOnly>
      <AskButton
        leftSection={<IconX size={16} />}
        ask={async () => {
          const input = { batchRecommendationId: batchId, idempotencyKey: newIdempotencyKey() };
          const { data, error } = await cancel({ input });
          return { error, userErrors: data?.cancelBatchRecommendation.userErrors };
        }}
        words={{ done: 'The batch ends without a file.', failed: 'The batch was not cancelled' }}
        onDone={onChanged}
        testId="cancel-batch"
      >
        Cancel
      </AskButton>
    </WritersOnly>
  );
}
