'use client';

import { AppShell, Burger } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { usePathname } from 'next/navigation';
import { type ReactNode, useEffect } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../src/generated/gql.ts';
import { AccountMenu } from './account-menu.tsx';
import classes from './app-frame.module.css';
import { BrandMark } from './brand-mark.tsx';
import { MainNavigation } from './main-navigation.tsx';
import { TenantBadge } from './tenant-badge.tsx';

const FRAME = graphql(`
  query Frame {
    viewer {
      ...AccountMenu
      tenant {
        id
        ...TenantBadge
      }
    }
  }
`);

/** The frame of every page behind the sign-in: where one is, where one can go, who one is. */
export function AppFrame({ children }: { children: ReactNode }) {
  const [opened, { toggle, close }] = useDisclosure();
  const [{ data }] = useQuery({ query: FRAME });
  const path = usePathname();
  useEffect(close, [path, close]);

  return (
    <AppShell
      navbar={{ width: 236, breakpoint: 'sm', collapsed: { mobile: !opened } }}
      header={{ height: { base: 52, sm: 0 } }}
      padding={0}
    >
      <a href="#content" className={classes.skip}>
        Skip to content
      </a>
      <AppShell.Header hiddenFrom="sm" className={classes.header} role="none">
        <nav className={classes.bar} aria-label="Top bar">
          <Burger
            opened={opened}
            onClick={toggle}
            size="sm"
            aria-label={opened ? 'Close the navigation' : 'Open the navigation'}
            aria-expanded={opened}
          />
          <BrandMark size={24} />
          <span className={classes.name}>Kindred</span>
        </nav>
      </AppShell.Header>
      <AppShell.Navbar className={classes.side} aria-label="Main">
        <div className={classes.brand}>
          <BrandMark />
          <span className={classes.name}>Kindred</span>
        </div>
        <TenantBadge tenant={data?.viewer?.tenant} />
        <MainNavigation path={path} onNavigate={close} />
        <div className={classes.foot}>
          <AccountMenu viewer={data?.viewer} />
        </div>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1} className={classes.main}>
        <div className={classes.content}>{children}</div>
      </AppShell.Main>
    </AppShell>
  );
}
