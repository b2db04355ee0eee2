import type { Document } from '../route.ts'

export const staff: Document = { name: 'staff', title: 'staff', malformedId: 404, routes: [] }
