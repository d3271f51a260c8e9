"""Who may do what: service accounts, keys, tokens, roles, members, projects and the audit log.

Every request passes `access.Access`, which asks `authentication` who is calling and `roles` what
they may do. Which role has which permission may be changed in `roles`. The names of resources, the
ids in tokens and the actions in audit entries are stored or known to customers, and stay. This
package may import `aws` (for secrets and requests) and `kernel`; what it needs of the store it
states as Protocols. A newcomer starts with `access`, then reads `authentication`.
"""
