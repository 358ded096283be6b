import {
  ActionIcon,
  Button,
  createTheme,
  InputWrapper,
  type MantineColorsTuple,
  Menu,
  Modal,
  Notification,
  Paper,
  Select,
  Skeleton,
  TextInput,
  Tooltip,
} from '@mantine/core';

const iris: MantineColorsTuple = [
  '#f1f1fe',
  '#e0e0fc',
  '#c3c2f8',
  '#a5a3f4',
  '#8b88f0',
  '#7572ec',
  '#5f5be0',
  '#4f4bc9',
  '#423fad',
  '#343289',
];

const mint: MantineColorsTuple = [
  '#e6fbf4',
  '#c9f4e5',
  '#96e8cd',
  '#5fdab3',
  '#34cd9d',
  '#17b98a',
  '#0a9a72',
  '#077d5d',
  '#076349',
  '#064a38',
];

// Text, dimmed text, borders and surfaces of the dark scheme, in Mantine's order from light to dark.
const dark: MantineColorsTuple = [
  '#e4e6eb',
  '#b6bac4',
  '#9399a6',
  '#454a55',
  '#2b2f37',
  '#1f2229',
  '#16181d',
  '#0d0e11',
  '#08090b',
  '#050506',
];

export const theme = createTheme({
  primaryColor: 'iris',
  primaryShade: { light: 6, dark: 6 },
  colors: { iris, mint, dark },
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'JetBrains Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.125rem' },
  lineHeights: { xs: '1.4', sm: '1.45', md: '1.5', lg: '1.5', xl: '1.5' },
  headings: {
    fontWeight: '600',
    sizes: {
      h1: { fontSize: '1.5rem', lineHeight: '1.25' },
      h2: { fontSize: '1rem', lineHeight: '1.4' },
      h3: { fontSize: '0.875rem', lineHeight: '1.4' },
    },
  },
  defaultRadius: 'md',
  radius: { xs: '4px', sm: '6px', md: '8px', lg: '12px', xl: '16px' },
  cursorType: 'pointer',
  respectReducedMotion: true,
  focusRing: 'auto',
  components: {
    Button: Button.extend({ defaultProps: { size: 'sm' }, styles: { root: { fontWeight: 550 } } }),
    ActionIcon: ActionIcon.extend({ defaultProps: { variant: 'subtle', color: 'gray' } }),
    Modal: Modal.extend({
      defaultProps: {
        centered: true,
        radius: 'lg',
        overlayProps: { blur: 2, opacity: 0.55 },
        closeButtonProps: { 'aria-label': 'Close' },
      },
      styles: {
        title: { fontWeight: 600, fontSize: '1rem', letterSpacing: '-0.012em' },
        header: { background: 'var(--k-surface)' },
        content: { background: 'var(--k-surface)', border: '1px solid var(--k-line)' },
      },
    }),
    InputWrapper: InputWrapper.extend({
      styles: { label: { marginBottom: 5 }, description: { marginBottom: 6, fontSize: '0.75rem' } },
    }),
    Menu: Menu.extend({ defaultProps: { withinPortal: false, withInitialFocusPlaceholder: false } }),
    Select: Select.extend({ defaultProps: { comboboxProps: { withinPortal: false } } }),
    Notification: Notification.extend({ defaultProps: { closeButtonProps: { 'aria-label': 'Dismiss' } } }),
    Paper: Paper.extend({ defaultProps: { radius: 'lg' } }),
    Skeleton: Skeleton.extend({ defaultProps: { radius: 'sm' } }),
    TextInput: TextInput.extend({ defaultProps: { size: 'sm' } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 300, withArrow: true } }),
  },
});
