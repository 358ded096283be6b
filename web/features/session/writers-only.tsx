'use client';

import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { ROLE_NAMES } from '../members/role-names.ts';
import { useViewerRole } from './use-viewer-role.tsx';

interface WritersOnlyProps {
  /** What others may not do, such as `start a tuning`; left out where nothing needs to be said. */
  deed?: string;
  children: ReactNode;
}

/** Shows its children to those who may change things, and tells others why they are not there. */
export function WritersOnly({ deed, children }: WritersOnlyProps) {
  const { role, mayWrite } = useViewerRole();
  if (mayWrite === null) return null;
  if (mayWrite) return children;
  if (deed === undefined) return null;
  return (
    <Text size="sm" c="dimmed" data-testid="read-only">
      Your role{role === null ? '' : `, ${ROLE_NAMES[role]},`} may look on but not {deed}.
    </Text>
  );
}
