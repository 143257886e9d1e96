"""Background jobs: what a request starts and somebody has to finish, whatever crashes meanwhile.

`queue` adds jobs and shows them, `claims` is every step of a job's life as one transaction, `worker` runs them slice by slice.
A slice's effects and the note that it was done commit together: that is what makes every effect happen exactly once.
"""
