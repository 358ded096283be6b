'use client';

import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import { useMutation } from 'urql';
import { newIdempotencyKey } from '../../lib/idempotency-key.ts';
import { graphql } from '../../src/generated/gql.ts';
import { Notice } from '../shell/notice.tsx';
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

/** Asks where to, then shows the signing secret: the one time that it can be seen. */
export function CreateWebhookDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const [secret, setSecret] = useState<string | null>(null);
  const close = (): void => {
    setSecret(null);
    onClose();
  };
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={secret === null ? 'New webhook' : 'Copy the signing secret now'}
      closeOnClickOutside={secret === null}
      closeOnEscape={secret === null}
    >
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
