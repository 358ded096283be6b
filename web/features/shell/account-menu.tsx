'use client';

import { type MantineColorScheme, Menu, Skeleton, UnstyledButton, useMantineColorScheme } from '@mantine/core';
import { IconDeviceDesktop, IconLogout, IconMoon, IconSelector, IconSun } from '@tabler/icons-react';
import { firstLetter } from '../../lib/format.ts';
import { type FragmentType, readFragment } from '../../src/generated/fragment-masking.ts';
import { graphql } from '../../src/generated/gql.ts';
import { useSignOut } from '../session/session-provider.tsx';
import classes from './account-menu.module.css';

const VIEWER = graphql(`
  fragment AccountMenu on Viewer {
    role
    account {
      id
      displayName
      email
    }
  }
`);

const SCHEMES = [
  { value: 'light', label: 'Light appearance', icon: IconSun },
  { value: 'dark', label: 'Dark appearance', icon: IconMoon },
  { value: 'auto', label: 'As the system', icon: IconDeviceDesktop },
] as const;

export function AccountMenu({ viewer: masked }: { viewer: FragmentType<typeof VIEWER> | null | undefined }) {
  const viewer = readFragment(VIEWER, masked);
  const signOut = useSignOut();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const account = viewer?.account;
  return (
    <Menu position="top-start" width={212} shadow="md">
      <Menu.Target>
        <UnstyledButton className={classes.button} aria-label="Account and appearance" data-testid="account-menu">
          <span className={classes.face} aria-hidden="true">
            {account ? firstLetter(account.displayName) : null}
          </span>
          <span className={classes.words}>
            {account ? (
              <>
                <span className={classes.name}>{account.displayName}</span>
                <span className={classes.email}>{account.email}</span>
              </>
            ) : (
              <Skeleton height={12} width={110} />
            )}
          </span>
          <IconSelector size={15} stroke={1.7} aria-hidden="true" />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.RadioGroup value={colorScheme} onChange={(value) => setColorScheme(value as MantineColorScheme)}>
          {SCHEMES.map(({ value, label, icon: Icon }) => (
            <Menu.RadioItem key={value} value={value} rightSection={<Icon size={15} stroke={1.7} aria-hidden="true" />}>
              {label}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} stroke={1.7} />} onClick={signOut} data-testid="sign-out">
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
