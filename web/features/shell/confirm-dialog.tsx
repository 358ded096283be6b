'use client';

import { Button, Group, Modal, Text } from '@mantine/core';
import type { ReactNode } from 'react';

interface ConfirmDialogProps {
  opened: boolean;
  title: string;
  /** What will be, and that it cannot be undone. */
  children: ReactNode;
  keepLabel: string;
  confirmLabel: string;
  loading: boolean;
  onConfirm: () => void;
  onClose: () => void;
  testId: string;
}

/** Asks before something ends that cannot be brought back. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  const { opened, title, children, keepLabel, confirmLabel, loading, onConfirm, onClose, testId } = props;
  return (
    <Modal opened={opened} onClose={onClose} title={title}>
      <Text size="md" c="dimmed">
        {children}
      </Text>
      <Group justify="flex-end" gap="xs" mt="lg">
        <Button variant="default" onClick={onClose} data-autofocus>
          {keepLabel}
        </Button>
        <Button color="red.8" loading={loading} onClick={onConfirm} data-testid={testId}>
          {confirmLabel}
        </Button>
      </Group>
    </Modal>
  );
}
