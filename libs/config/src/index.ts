export type {
  Address,
  AdminSettings,
  AdminToken,
  BusSettings,
  LocalSettings,
  StoreSettings,
  UsherConfig,
} from './settings.ts';
