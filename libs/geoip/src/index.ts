export { Locator } from './locator.ts';
export { openPlaceDatabase, type PlaceDatabase } from './place-database.ts';
export { readShared } from './read-shared.ts';
