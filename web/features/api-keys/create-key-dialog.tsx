'use client';

import { Button, Group, Modal, Radio, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import { useMutation } from 'urql';
import { newIdempotencyKey } from '../../lib/idempotency-key.ts';
import { graphql } from '../../src/generated/gql.ts';
import type { ApiKeyKind } from '../../src/generated/graphql.ts';
import { Notice } from '../shell/notice.tsx';
import { problemText } from '../shell/problem.tsx';
import { useSecretDialog } from '../shell/use-secret-dialog.ts';
import { NewSecret } from './new-secret.tsx';

const CREATE = graphql(`
  mutation CreateApiKey($input: CreateApiKeyInput!) {
    createApiKey(input: $input) {
      apiKey {
        id
        ...ApiKeyListRow
      }
      secret
      userErrors {
        code
        message
        path
      }
    }
  }
`);

/** Asks what the key is for, then shows its secret. */
export function CreateKeyDialog(dialog: { opened: boolean; onClose: () => void }) {
  const { modal, secret, setSecret, close } = useSecretDialog({
    ...dialog,
    titles: { ask: 'New API key', show: 'Copy the key now' },
  });
  return (
    <Modal {...modal}>
      {secret === null ? (
        <CreateKeyForm onCreated={setSecret} onCancel={close} />
      ) : (
        <NewSecret secret={secret} onDone={close} />
      )}
    </Modal>
  );
}

function CreateKeyForm({ onCreated, onCancel }: { onCreated: (secret: string) => void; onCancel: () => void }) {
  const [{ fetching }, create] = useMutation(CREATE);
  const [problem, setProblem] = useState<string | null>(null);
  const form = useForm<{ name: string; kind: ApiKeyKind }>({
    initialValues: { name: '', kind: 'PUBLISHABLE' },
    validate: { name: (value) => (value.trim() === '' ? 'Say what the key is for.' : null) },
  });
  const submit = async ({ name, kind }: { name: string; kind: ApiKeyKind }): Promise<void> => {
    setProblem(null);
    const { data, error } = await create({ input: { name: name.trim(), kind, idempotencyKey: newIdempotencyKey() } });
    if (error) return setProblem(problemText(error));
    const { secret = null, userErrors = [] } = data?.createApiKey ?? {};
    if (secret) return onCreated(secret);
    for (const { path, message } of userErrors) {
      if (path.at(-1) === 'name') form.setFieldError('name', message);
      else setProblem(message);
    }
  };
  return (
    <form onSubmit={form.onSubmit((values) => void submit(values))} noValidate>
      <Stack gap="md">
        {problem === null ? null : <Notice>{problem}</Notice>}
        <TextInput
          label="Name"
          placeholder="Web shop"
          data-autofocus
          {...form.getInputProps('name')}
          data-testid="api-key-name"
        />
        <Radio.Group label="For" {...form.getInputProps('kind')}>
          <Stack gap="sm" mt={6}>
            <Radio
              value="PUBLISHABLE"
              label="Browsers"
              description="Publishable: recommend and record interactions only."
            />
            <Radio value="SECRET" label="Servers" description="Secret: everything but managing the tenant." />
          </Stack>
        </Radio.Group>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onCancel}>
            Cancel
          </Button>
          <Button type="submit" loading={fetching} data-testid="api-key-submit">
            Create key
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
