'use client';

import { Button } from '@mantine/core';
import { useState } from 'react';
import { useMutation } from 'urql';
import { formatDateTime } from '../../lib/format.ts';
import { newIdempotencyKey } from '../../lib/idempotency-key.ts';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import type { PublishedDocumentRowFragment } from '../../src/generated/graphql.ts';
import { ConfirmDialog } from '../shell/confirm-dialog.tsx';
import { CellText, DataTable } from '../shell/data-table.tsx';
import { tellOutcome } from '../shell/tell-outcome.ts';
import classes from './published-document-list.module.css';

const ROW = graphql(`
  fragment PublishedDocumentRow on PublishedDocument {
    documentId
    name
    text
    publishedAt
    publishedBy {
      id
      displayName
    }
    publishedByKey {
      id
      name
    }
  }
`);

const WITHDRAW = graphql(`
  mutation WithdrawDocuments($input: WithdrawDocumentsInput!) {
    withdrawDocuments(input: $input) {
      withdrawnDocumentIds
      userErrors {
        message
      }
    }
  }
`);

interface PublishedDocumentListProps {
  documents: readonly FragmentType<typeof ROW>[];
  onChanged: () => void;
}

export function PublishedDocumentList({ documents: masked, onChanged }: PublishedDocumentListProps) {
  const documents = readFragment(ROW, masked);
  const [withdrawing, setWithdrawing] = useState<PublishedDocumentRowFragment | null>(null);
  return (
    <div className={classes.list}>
      <DataTable label="Published documents" columns={['Document', 'Published', 'By']} withActions>
        {documents.map((document) => (
          <tr key={document.documentId} data-testid="document-row" data-name={document.name ?? ''}>
            <td>
              <CellText
                below={
                  <code className="mono" title={document.documentId}>
                    {document.documentId.slice(0, 'sha256:'.length + 12)}…
                  </code>
                }
              >
                {document.name ?? 'Without a name'}
              </CellText>
              <details className={classes.text}>
                <summary>Text</summary>
                <pre className="mono" tabIndex={0} aria-label={`Text of ${nameOf(document)}`}>
                  {document.text}
                </pre>
              </details>
            </td>
            <td className="numeric">{formatDateTime(document.publishedAt)}</td>
            <td>
              <Publisher {...document} />
            </td>
            <td className={classes.actions}>
              <Button
                variant="subtle"
                color="var(--k-bad)"
                size="compact-sm"
                onClick={() => setWithdrawing(document)}
                aria-label={`Withdraw ${nameOf(document)}`}
                data-testid="withdraw-document"
              >
                Withdraw
              </Button>
            </td>
          </tr>
        ))}
      </DataTable>
      <WithdrawDialog document={withdrawing} onClose={() => setWithdrawing(null)} onChanged={onChanged} />
    </div>
  );
}

function Publisher({ publishedBy, publishedByKey }: PublishedDocumentRowFragment) {
  if (publishedByKey) return <CellText below="API key">{publishedByKey.name}</CellText>;
  return <CellText>{publishedBy?.displayName ?? 'Not known'}</CellText>;
}

function nameOf({ name, documentId }: PublishedDocumentRowFragment): string {
  return name ?? documentId;
}

interface WithdrawDialogProps {
  document: PublishedDocumentRowFragment | null;
  onClose: () => void;
  onChanged: () => void;
}

function WithdrawDialog({ document, onClose, onChanged }: WithdrawDialogProps) {
  const [{ fetching }, withdraw] = useMutation(WITHDRAW);
  const confirm = async (documentId: string): Promise<void> => {
    const input = { documentIds: [documentId], idempotencyKey: newIdempotencyKey() };
    const { data, error } = await withdraw({ input });
    const words = {
      done: 'The document is withdrawn. Keys are refused it within 10 seconds.',
      failed: 'The document was not withdrawn',
    };
    if (tellOutcome({ error, userErrors: data?.withdrawDocuments.userErrors }, words)) onChanged();
    onClose();
  };
  return (
    <ConfirmDialog
      opened={document !== null}
      title="Withdraw this document?"
      keepLabel="Keep it"
      confirmLabel="Withdraw document"
      loading={fetching}
      onConfirm={() => document !== null && void confirm(document.documentId)}
      onClose={onClose}
      testId="withdraw-document-confirm"
    >
      Pages that ask {document && nameOf(document)} with a publishable key are refused from then on, until it is
      published again.
    </ConfirmDialog>
  );
}
