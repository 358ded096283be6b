'use client';

import { Button, CopyButton, Group, Stack, Text } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import classes from './new-secret.module.css';

export function NewSecret({ secret, onDone }: { secret: string; onDone: () => void }) {
  return (
    <Stack gap="md">
      <Text size="md" c="dimmed">
        It is shown this once: only its digest is kept. If it is lost, revoke it and create another.
      </Text>
      <code className={classes.secret} data-testid="api-key-secret">
        {secret}
      </code>
      <Group justify="flex-end" gap="xs">
        <CopyButton value={secret}>
          {({ copied, copy }) => (
            <Button
              variant="default"
              leftSection={copied ? <IconCheck size={15} /> : <IconCopy size={15} />}
              onClick={copy}
            >
              {copied ? 'Copied' : 'Copy'}
            </Button>
          )}
        </CopyButton>
        <Button onClick={onDone} data-testid="api-key-done">
          I have it
        </Button>
      </Group>
    </Stack>
  );
}
