export { BackendActors } from './backend-actors.ts';
export { type BackendFact, backendMachine } from './backend-machine.ts';
export { FleetFold } from './fleet-fold.ts';
