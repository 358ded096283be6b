'use client';

import { Button, CopyButton, Group, Stack, Text } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import classes from './shown-once.module.css';

interface ShownOnceProps {
  value: string;
  /** Why it is shown this once, and what to do when it is lost. */
  children: ReactNode;
  onDone: () => void;
  testId: string;
  doneTestId: string;
}

/** A secret to take away now. */
export function ShownOnce({ value, children, onDone, testId, doneTestId }: ShownOnceProps) {
  return (
    <Stack gap="md">
      <Text size="md" c="dimmed">
        {children}
      </Text>
      <code className={classes.value} data-testid={testId}>
        {value}
      </code>
      <Group justify="flex-end" gap="xs">
        <CopyButton value={value}>
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
        <Button onClick={onDone} data-testid={doneTestId}>
          I have it
        </Button>
      </Group>
    </Stack>
  );
}
