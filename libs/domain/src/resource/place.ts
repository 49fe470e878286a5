/** Mean radius of the Earth (IUGG), in kilometres. */
export const EARTH_RADIUS_KM = 6371;

/** A point on the Earth, in degrees. The equator and the prime meridian are places like any other. */
export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

/** A place as a point of the unit sphere: distances between such points need no trigonometry but one arc sine. */
export interface SpherePoint {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

/** Undefined for what is no place: a coordinate that is out of range or no number. */
export function onSphere({ latitude, longitude }: Place): SpherePoint | undefined {
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) return undefined;
  const north = (latitude * Math.PI) / 180;
  const east = (longitude * Math.PI) / 180;
  const ring = Math.cos(north);
  return { x: ring * Math.cos(east), y: ring * Math.sin(east), z: Math.sin(north) };
}

/** Length along the great circle between two points of the unit sphere, from the square of the straight line between them. */
export function arcKm(chordSquared: number): number {
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(chordSquared) / 2));
}

/** The square of the straight line between two points of the unit sphere. */
export function chordSquared(a: SpherePoint, b: SpherePoint): number {
  return Math.max(0, 2 - 2 * (a.x * b.x + a.y * b.y + a.z * b.z));
}
