'use client';

import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import { useMutation } from 'urql';
import { newIdempotencyKey } from '../../lib/idempotency-key.ts';
import { graphql } from '../../src/generated/gql.ts';
import { Notice } from '../shell/notice.tsx';
import { useSecretDialog } from '../shell/use-secret-dialog.ts';
import { problemOf } from '../shell/tell-outcome.ts';
import { SigningSecret } from './signing-secret.tsx';

const CREATE = graphql(`
  mutation CreateWebhook($input: CreateWebhookInput!) {
    createWebhook(input: $input) {
      webhook {
        id
        ...WebhookListRow
      }
      secret
      userErrors {
        message
      }
    }
  }
`);

/** Asks where to, then shows the signing secret. */
export function CreateWebhookDialog(dialog: { opened: boolean; onClose: () => void }) {
  const { modal, secret, setSecret, close } = useSecretDialog({
    ...dialog,
    titles: { ask: 'New webhook', show: 'Copy the signing secret now' },
  });
  return (
    <Modal {...modal}>
      {secret === null ? (
        <CreateWebhookForm onCreated={setSecret} onCancel={close} />
      ) : (
        <SigningSecret secret={secret} onDone={close} />
      )}
    </Modal>
  );
}

function CreateWebhookForm({ onCreated, onCancel }: { onCreated: (secret: string) => void; onCancel: () => void }) {
  const [{ fetching }, create] = useMutation(CREATE);
  const [problem, setProblem] = useState<string | null>(null);
  const form = useForm({
    initialValues: { url: '' },
    validate: {
      url: (value) => (value.trim().startsWith('https://') ? null : 'Enter an address that begins with https://'),
    },
  });
  const submit = async ({ url }: { url: string }): Promise<void> => {
    const { data, error } = await create({ input: { url: url.trim(), idempotencyKey: newIdempotencyKey() } });
    const { secret, userErrors } = data?.createWebhook ?? {};
    if (secret) onCreated(secret);
    else setProblem(problemOf({ error, userErrors }) ?? 'The webhook was created before.');
  };
  return (
    <form onSubmit={form.onSubmit((values) => void submit(values))} noValidate>
      <Stack gap="md">
        {problem === null ? null : <Notice testId="webhook-problem">{problem}</Notice>}
        <TextInput
          label="Address"
          type="url"
          placeholder="https://shop.example/kindred"
          data-autofocus
          {...form.getInputProps('url')}
          data-testid="webhook-url"
        />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onCancel}>
            Cancel
          </Button>
          <Button type="submit" loading={fetching} data-testid="webhook-submit">
            Create webhook
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
