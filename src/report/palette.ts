// The colours of pages and plots, by day and by night. Plots name them as CSS variables (`var(--same)`), so that
// one SVG serves both; files that stand alone have the day's colours written in (`standalone.ts`).

/** On white, and for paper. */
export const DAY: Readonly<Record<string, string>> = {
  page: '#f6f5f1',
  card: '#ffffff',
  ink: '#1d2126',
  soft: '#5b636d',
  line: '#dfddd6',
  faint: '#a9adb3',
  accent: '#2457a6',
  same: '#1f6fb4',
  different: '#d9761a',
  'class-0': '#0072b2',
  'class-1': '#e08a00',
  'class-2': '#009e73',
  'class-3': '#c8609b',
  'class-4': '#42a5dd',
  'class-5': '#cf4a00',
  'class-6': '#8a7d00',
  'class-7': '#5d5d66',
  'class-8': '#7a3fa0',
  'class-9': '#7d4a1e',
};

export const NIGHT: Readonly<Record<string, string>> = {
  page: '#14171b',
  card: '#1c2026',
  ink: '#e9e7e1',
  soft: '#a3abb5',
  line: '#333a43',
  faint: '#6c747e',
  accent: '#86b3f5',
  same: '#5fb0f0',
  different: '#f2a04e',
  'class-0': '#3f97e6',
  'class-1': '#f5b22e',
  'class-2': '#2fc79b',
  'class-3': '#ea8fc2',
  'class-4': '#9adcfb',
  'class-5': '#ff7b3d',
  'class-6': '#e6dc4b',
  'class-7': '#c9c9d1',
  'class-8': '#bd93ea',
  'class-9': '#c99a6b',
};

/** What a printed page has instead of the day's colours. */
export const PRINT: Readonly<Record<string, string>> = {
  ...DAY,
  page: '#fff',
  ink: '#111',
  soft: '#444',
  line: '#bbb',
  faint: '#999',
};

/** The declarations of a palette's CSS variables. */
export const declared = (palette: Readonly<Record<string, string>>): string =>
  Object.entries(palette)
    .map(([name, colour]) => `--${name}: ${colour};`)
    .join(' ');
