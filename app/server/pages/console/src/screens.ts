import type { ComponentType } from 'preact';
import type { ScreenProps } from './router';

export interface Screen {
  /** The form of its path, such as `/pipeline/:id`. */
  pattern: string;
  /** Its entry in the navigation that is marked while it is shown. */
  within: string;
  load: () => Promise<{ default: ComponentType<ScreenProps> }>;
}

/** All screens: one file each in `screens/`, loaded when it is first shown. */
export const SCREENS: Screen[] = [
  { pattern: '/', within: '/', load: () => import('./screens/pipelines') },
  { pattern: '/pipeline/:id', within: '/', load: () => import('./screens/pipeline') },
  { pattern: '/new', within: '/', load: () => import('./screens/editor') },
  { pattern: '/edit/:id', within: '/', load: () => import('./screens/editor') },
  { pattern: '/compare/:ids', within: '/', load: () => import('./screens/compare') },
  { pattern: '/data', within: '/data', load: () => import('./screens/data') },
  { pattern: '/data/:id', within: '/data', load: () => import('./screens/data/measurement') },
  { pattern: '/keys', within: '/keys', load: () => import('./screens/keys') },
  { pattern: '/system', within: '/system', load: () => import('./screens/system') },
];

export interface Entry {
  path: string;
  label: string;
  /** Whether only callers who may make keys see it. */
  admin?: boolean;
}

/** The navigation. */
export const NAVIGATION: Entry[] = [
  { path: '/', label: 'Pipelines' },
  { path: '/data', label: 'Data' },
  { path: '/keys', label: 'Keys', admin: true },
  { path: '/system', label: 'System' },
];
