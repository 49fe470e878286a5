export {
  auditReservations,
  ReservationAudit,
  type ReservationReport,
} from './audit/reservation-audit.ts';
export type { Violation } from './audit/run-audit.ts';
export { BackendActors } from './backend-actors.ts';
export { type BackendFact, backendMachine } from './backend-machine.ts';
export { FleetFold } from './fleet-fold.ts';
