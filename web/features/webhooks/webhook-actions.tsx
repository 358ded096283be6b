'use client';

import { Button, Modal } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import { useMutation } from 'urql';
import { newIdempotencyKey } from '../../lib/idempotency-key.ts';
import { graphql } from '../../src/generated/gql.ts';
import { ConfirmDialog } from '../shell/confirm-dialog.tsx';
import { problemOf, tellOutcome } from '../shell/tell-outcome.ts';
import { SigningSecret } from './signing-secret.tsx';

const TEST = graphql(`
  mutation TestWebhook($input: TestWebhookInput!) {
    testWebhook(input: $input) {
      delivery {
        id
      }
      userErrors {
        message
      }
    }
  }
`);

const ENABLE = graphql(`
  mutation EnableWebhook($input: EnableWebhookInput!) {
    enableWebhook(input: $input) {
      webhook {
        id
        disabledAt
        disabledReason
      }
      userErrors {
        message
      }
    }
  }
`);

const ROTATE = graphql(`
  mutation RotateWebhookSecret($input: RotateWebhookSecretInput!) {
    rotateWebhookSecret(input: $input) {
      secret
      userErrors {
        message
      }
    }
  }
`);

const DELETE = graphql(`
  mutation DeleteWebhook($input: DeleteWebhookInput!) {
    deleteWebhook(input: $input) {
      deletedWebhookId
      userErrors {
        message
      }
    }
  }
`);

interface WebhookActionsProps {
  webhookId: string;
  isDisabled: boolean;
  onChanged: () => void;
}

export function WebhookActions({ webhookId, isDisabled, onChanged }: WebhookActionsProps) {
  return (
    <>
      {isDisabled ? (
        <EnableButton webhookId={webhookId} onChanged={onChanged} />
      ) : (
        <TestButton webhookId={webhookId} onChanged={onChanged} />
      )}
      <RotateButton webhookId={webhookId} />
      <DeleteButton webhookId={webhookId} />
    </>
  );
}

function TestButton({ webhookId, onChanged }: { webhookId: string; onChanged: () => void }) {
  const [{ fetching }, test] = useMutation(TEST);
  const ask = async (): Promise<void> => {
    const { data, error } = await test({ input: { webhookId, idempotencyKey: newIdempotencyKey() } });
    const words = { done: 'A test was sent: its answer is below.', failed: 'Nothing was sent' };
    tellOutcome({ error, userErrors: data?.testWebhook.userErrors }, words);
    onChanged();
  };
  return (
    <Button loading={fetching} onClick={() => void ask()} data-testid="test-webhook">
      Send a test
    </Button>
  );
}

function EnableButton({ webhookId, onChanged }: { webhookId: string; onChanged: () => void }) {
  const [{ fetching }, enable] = useMutation(ENABLE);
  const ask = async (): Promise<void> => {
    const { data, error } = await enable({ input: { webhookId, idempotencyKey: newIdempotencyKey() } });
    const words = { done: 'The webhook is told of what happens from now on.', failed: 'The webhook was not enabled' };
    if (tellOutcome({ error, userErrors: data?.enableWebhook.userErrors }, words)) onChanged();
  };
  return (
    <Button loading={fetching} onClick={() => void ask()} data-testid="enable-webhook">
      Enable
    </Button>
  );
}

function RotateButton({ webhookId }: { webhookId: string }) {
  const [{ fetching }, rotate] = useMutation(ROTATE);
  const [secret, setSecret] = useState<string | null>(null);
  const ask = async (): Promise<void> => {
    const { data, error } = await rotate({ input: { webhookId, idempotencyKey: newIdempotencyKey() } });
    const outcome = { error, userErrors: data?.rotateWebhookSecret.userErrors };
    if (problemOf(outcome) === null) setSecret(data?.rotateWebhookSecret.secret ?? null);
    else tellOutcome(outcome, { done: '', failed: 'The secret was not rotated' });
  };
  return (
    <>
      <Button variant="default" loading={fetching} onClick={() => void ask()} data-testid="rotate-webhook">
        Rotate secret
      </Button>
      <Modal
        opened={secret !== null}
        onClose={() => setSecret(null)}
        title="Copy the new secret now"
        closeOnClickOutside={false}
        closeOnEscape={false}
      >
        <SigningSecret secret={secret ?? ''} onDone={() => setSecret(null)} />
      </Modal>
    </>
  );
}

function DeleteButton({ webhookId }: { webhookId: string }) {
  const router = useRouter();
  const [opened, dialog] = useDisclosure();
  const [{ fetching }, remove] = useMutation(DELETE);
  const confirm = async (): Promise<void> => {
    const { data, error } = await remove({ input: { webhookId, idempotencyKey: newIdempotencyKey() } });
    const words = { done: 'The webhook is deleted.', failed: 'The webhook was not deleted' };
    dialog.close();
    if (tellOutcome({ error, userErrors: data?.deleteWebhook.userErrors }, words)) router.replace('/webhooks');
  };
  return (
    <>
      <Button variant="default" onClick={dialog.open} data-testid="delete-webhook">
        Delete
      </Button>
      <ConfirmDialog
        opened={opened}
        title="Delete this webhook?"
        keepLabel="Keep it"
        confirmLabel="Delete webhook"
        loading={fetching}
        onConfirm={() => void confirm()}
        onClose={dialog.close}
        testId="delete-webhook-confirm"
      >
        Its address is told nothing more, and the log of its deliveries goes with it. This cannot be undone.
      </ConfirmDialog>
    </>
  );
}
